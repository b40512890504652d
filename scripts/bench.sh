#!/usr/bin/env bash
# Measures what the README and the specifications claim, each against a baseline in the same run, and prints tables.
# Nothing here fails on a figure: a row says PASS or MISS, and the machine decides.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "== receipts and sum trees (domain, relayer)"
go test ./relayer/sigcheck ./domain/sumtree -run '^$' -bench . -benchmem -count 3 | grep -E '^Benchmark'
for package in ./app/bench ./host/bench; do
  echo "== $package"
  go run -tags "${BENCH_TAGS-}" "$package"
done
