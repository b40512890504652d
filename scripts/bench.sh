#!/usr/bin/env bash
# Measures what the README and the specifications claim, each against a baseline in the same run, and prints tables.
# Nothing here fails on a figure: a row says PASS or MISS, and the machine decides.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "== a receipt's full check, and sum trees of 2^20 leaves (limits: 110 and 160 microseconds a receipt, 1.3 a leaf)"
go test ./relayer/sigcheck ./domain/sumtree -run '^$' -bench 'ReceiptCheck|Build' -benchmem -count 3 | grep -E '^Benchmark'
echo "== chain: batches, settlement, epochs (built with '${BENCH_TAGS-}')"
go run -tags "${BENCH_TAGS-}" ./app/bench
echo "== chain: anchors (limits: 250 microseconds a vote, 2 % of a block)"
go run -tags "${BENCH_TAGS-}" ./app/anchorbench
echo "== host: the metering proxy beside a bare reverse proxy (built without the chain's tags: it has libsecp256k1 of its own)"
go run ./host/bench
