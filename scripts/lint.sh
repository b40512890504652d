#!/usr/bin/env bash
# Format, vet, staticcheck, and golangci-lint. Tools are pinned in tools/go.mod and built from the module cache.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.cache/bin
mkdir -p "$bin"
(cd tools && go build -o "$bin/" mvdan.cc/gofumpt honnef.co/go/tools/cmd/staticcheck)
files=$(git ls-files '*.go' | grep -vE '\.pb\.(gw\.)?go$')
out=$("$bin/gofumpt" -l $files)
[ -z "$out" ] || { echo "run make fmt:"; echo "$out"; exit 1; }
go vet -tags e2e ./... 2>&1 | grep -v -e 'Wdeprecated' -e '^#' || true
go vet ./domain/... ./x/... ./app/... ./cmd/gpucoord/...
"$bin/staticcheck" -tags e2e ./...
buf=$bin/buf
[ ! -x "$buf" ] || "$buf" lint
