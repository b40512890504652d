#!/usr/bin/env bash
# Runs go test with the given arguments. Fails when it fails, and when no package ran a test.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go test -timeout 30m "$@" 2>&1 | grep -v -e 'no test files' -e 'Wdeprecated-declarations' | tee "$log"
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] || exit "$status"
grep '^ok ' "$log" | grep -qv 'no tests to run' || { echo "no test ran: $*" >&2; exit 1; }
