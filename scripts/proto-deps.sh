#!/usr/bin/env bash
# Copies the .proto files we import from the module cache into third_party/proto, so that buf needs no remote module.
set -euo pipefail
cd "$(dirname "$0")/.."
dir() { go list -m -f '{{.Dir}}' "$1"; }
out=third_party/proto
rm -rf "$out" && mkdir -p "$out"
copy() { # base directory, then files relative to it
  local base=$1; shift
  for f in "$@"; do install -D -m 644 "$base/$f" "$out/$f"; done
}
copy "$(dir github.com/cosmos/cosmos-sdk)/proto" \
  cosmos/base/v1beta1/coin.proto cosmos/base/query/v1beta1/pagination.proto \
  cosmos/msg/v1/msg.proto amino/amino.proto
copy "$(dir github.com/cosmos/gogoproto)" gogoproto/gogo.proto
copy "$(dir github.com/cosmos/cosmos-proto)/proto" cosmos_proto/cosmos.proto
copy "$(dir github.com/grpc-ecosystem/grpc-gateway)/third_party/googleapis" google/api/annotations.proto google/api/http.proto
