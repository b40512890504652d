#!/usr/bin/env bash
# Regenerates x/*/types/*.pb.go and *.pb.gw.go. Needs no network beyond the Go module cache.
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/proto-deps.sh
bin=$PWD/.cache/bin
mkdir -p "$bin"
go build -o "$bin/" github.com/cosmos/gogoproto/protoc-gen-gocosmos github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway
(cd tools && go build -o "$bin/" github.com/bufbuild/buf/cmd/buf)
export PATH=$bin:$PATH
# One run at a time, and files change only where their content does: a build beside it never misses one.
exec 9>"$bin/.proto.lock" && flock 9
buf format -w proto
buf lint
rm -rf .gen && buf generate
gen=.gen/github.com/gpucoord/gpucoord
(cd "$gen" && find x -type f) | while read -r file; do
  cmp -s "$gen/$file" "$file" || cp "$gen/$file" "$file"
done
find x \( -name "*.pb.go" -o -name "*.pb.gw.go" \) | while read -r file; do
  [ -f "$gen/$file" ] || rm "$file"
done
rm -rf .gen
