// SPDX-License-Identifier: Apache-2.0

package score_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/gpucoord/gpucoord/domain/score"
)

func failureEntries(pairs ...[2]uint64) []score.FailureEntry {
	entries := make([]score.FailureEntry, len(pairs))
	for i, p := range pairs {
		entries[i] = score.FailureEntry{Gateway: [20]byte{byte(i)}, Admitted: p[0], Reported: p[1]}
	}
	return entries
}

func TestCountFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		in   []score.FailureEntry
		want []uint64
	}{
		"none":                     {nil, []uint64{}},
		"alone":                    {failureEntries([2]uint64{2, 40}), []uint64{42}},
		"three alike":              {failureEntries([2]uint64{0, 6}, [2]uint64{0, 6}, [2]uint64{0, 6}), []uint64{6, 6, 6}},
		"nobody else saw one":      {failureEntries([2]uint64{0, 1 << 30}, [2]uint64{0, 0}), []uint64{0, 0}},
		"half of what others saw":  {failureEntries([2]uint64{0, 1 << 30}, [2]uint64{0, 7}, [2]uint64{3, 0}), []uint64{5, 7, 3}},
		"admitted counts in full":  {failureEntries([2]uint64{90, 0}, [2]uint64{0, 0}), []uint64{90, 0}},
		"own admitted are a basis": {failureEntries([2]uint64{10, 9}, [2]uint64{0, 0}), []uint64{15, 0}},
	} {
		got, err := score.CountFailures(score.FailureShareDivisor, tc.in)
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v (%v), want %v", name, got, err, tc.want)
		}
	}
}

func TestCountFailuresErrors(t *testing.T) {
	twice := failureEntries([2]uint64{1, 1}, [2]uint64{1, 1})
	twice[1].Gateway = twice[0].Gateway
	for name, tc := range map[string]struct {
		d    uint64
		in   []score.FailureEntry
		want error
	}{
		"no divisor":      {1, nil, score.ErrBadDivisor},
		"a gateway twice": {3, twice, score.ErrDuplicateEntry},
		"too many":        {3, failureEntries([2]uint64{1 << 40, 0}, [2]uint64{0, 1}), score.ErrBadCount},
		"no 64 bits":      {3, failureEntries([2]uint64{1<<64 - 1, 1<<64 - 1}), score.ErrBadCount},
	} {
		if _, err := score.CountFailures(tc.d, tc.in); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}
