#!/usr/bin/env bash
# golangci-lint with .golangci.yml; where it does not build, go vet, staticcheck and gofumpt. Then buf lint and a grep
# of the state machine. The tools are pinned in tools/go.mod and built from the module cache.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.cache/bin
mkdir -p "$bin"
failed=0
fail() { printf '%s\n%s\n' "$1" "$2" >&2; failed=1; }
tool() { (cd tools && go build -o "$bin/" "$1"); }
# go-nvml's C header warns about its own deprecated calls; generated gateway code uses the API it was generated for.
noise='nvml|cgo-gcc-prolog|\.pb\.(gw\.)?go|^#|DEPRECATED|~\^|\^~|^ +[|0-9]'

if tool github.com/golangci/golangci-lint/v2/cmd/golangci-lint; then
  "$bin/golangci-lint" run --build-tags e2e --timeout 20m ./... || failed=1
else
  echo "golangci-lint does not build here: go vet, staticcheck and gofumpt stand in" >&2
  tool mvdan.cc/gofumpt && tool honnef.co/go/tools/cmd/staticcheck || exit 1
  mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.go' | grep -vE '\.pb\.(gw\.)?go$')
  out=$("$bin/gofumpt" -l "${files[@]}")
  [ -z "$out" ] || fail "gofumpt would change (run make fmt):" "$out"
  out=$(go vet -tags e2e ./... 2>&1 | grep -vE "$noise")
  [ -z "$out" ] || fail "go vet:" "$out"
  out=$("$bin/staticcheck" -tags e2e ./... 2>&1 | grep -vE "$noise")
  [ -z "$out" ] || fail "staticcheck:" "$out"
fi

tool github.com/bufbuild/buf/cmd/buf || exit 1
out=$("$bin/buf" lint 2>&1)
[ -z "$out" ] || fail "buf lint:" "$out"

out=$(grep -rnE '\b(time\.Now|time\.Since|math/rand|float64|float32)\b' --include='*.go' x domain | grep -vE '_test\.go|\.pb\.(gw\.)?go|/simulation/')
[ -z "$out" ] || fail "clock, chance or float in reach of the state machine:" "$out"
exit "$failed"
