#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time or number of inputs each.
set -euo pipefail
cd "$(dirname "$0")/.."
# A count (5000x) never ends in the middle of a call, as a duration may: Go then reports "context deadline exceeded".
time=${1:-5000x}
git grep -lE '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u | while read -r dir; do
  for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    echo "$dir $target"
    go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 2
  done
done
