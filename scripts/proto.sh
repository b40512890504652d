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
buf format -w proto
buf lint
rm -rf .gen && buf generate
mkdir -p x && find x \( -name "*.pb.go" -o -name "*.pb.gw.go" \) -delete
cp -r .gen/github.com/gpucoord/gpucoord/x/. x/
rm -rf .gen
