#!/usr/bin/env bash
# contracts.sh build: compiles contracts/ with solc-js and writes the committed artifacts and the Go binding.
# contracts.sh check: compiles, and fails when a committed artifact or the binding is not what the sources give.
# contracts.sh test:  check, then forge's unit, fuzz and invariant tests.
#
# The tools come from npm, pinned by contracts/package-lock.json. Where npm is missing or its registry can not be reached the script
# says SKIPPED and succeeds; with GPUCOORD_REQUIRE_CONTRACTS=1 it fails instead.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  printf '\n******** SKIPPED: contracts were not compiled or tested: %s ********\n\n' "$1" >&2
  [ -z "${GPUCOORD_REQUIRE_CONTRACTS:-}" ] || exit 1
  exit 0
}

install() {
  command -v npm >/dev/null && command -v node >/dev/null || skip "npm or node is missing"
  cmp -s contracts/package-lock.json contracts/node_modules/.installed && return
  if ! (cd contracts && npm ci --no-audit --no-fund --ignore-scripts --fetch-retries=1 --fetch-timeout=60000) >"$work/npm" 2>&1; then
    grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|E50[0-9]' "$work/npm" && skip "npm's registry can not be reached"
    cat "$work/npm" >&2
    exit 1
  fi
  cp contracts/package-lock.json contracts/node_modules/.installed
}

compile() {
  node contracts/compile.cjs "$work/out"
  mkdir -p "$1/artifacts" "$1/difftest/testdata" "$1/receiptanchor"
  cp "$work"/out/ReceiptAnchor.* "$1/artifacts/"
  cp "$work"/out/LogProofHarness.* "$work"/out/OwnerPosts.* "$1/difftest/testdata/"
  go run ./contracts/bind "$1/artifacts" "$1/receiptanchor/receiptanchor.go"
}

check() {
  compile "$work/new"
  local stale=0
  while read -r file; do
    cmp "$work/new/$file" "contracts/$file" || stale=1
  done < <(cd "$work/new" && find . -type f)
  [ "$stale" -eq 0 ] || { echo "contracts: committed files are not what the sources give; run make contracts" >&2; exit 1; }
  echo "contracts: artifacts and binding are what solc-js and abigen make of the sources"
}

forge_tests() {
  local os arch forge
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
  forge=$PWD/contracts/node_modules/@foundry-rs/forge-$os-$arch/bin/forge
  [ -x "$forge" ] || skip "npm has no forge for $os-$arch (artifacts and binding were checked)"
  (cd contracts && "$forge" test)
  node -e '
    const read = require("node:fs").readFileSync;
    const forge = JSON.parse(read("contracts/out/ReceiptAnchor.sol/ReceiptAnchor.json", "utf8")).bytecode.object;
    if (forge !== "0x" + read("contracts/artifacts/ReceiptAnchor.bin", "utf8").trim()) {
      console.error("contracts: forge tested other bytecode than the committed one: foundry.toml and compile.cjs differ");
      process.exit(1);
    }'
}

case $mode in
  build) install; compile contracts ;;
  check) install; check ;;
  test) install; check; forge_tests ;;
  *) echo "usage: contracts.sh build|check|test" >&2; exit 2 ;;
esac
