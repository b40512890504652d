// SPDX-License-Identifier: Apache-2.0

package epoch_test

import (
	"errors"
	"testing"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/internal/economicstest"
)

var errorNames = map[string]error{
	"BAD_WINDOW":     epoch.ErrBadWindow,
	"BEFORE_GENESIS": epoch.ErrBeforeGenesis,
	"OVERFLOW":       epoch.ErrOverflow,
}

func TestEpochOfVectors(t *testing.T) {
	type in struct {
		Height uint64
		epoch.Schedule
	}
	type out struct{ Epoch uint64 }
	economicstest.Walk(t, "epochOf", errorNames, func(v in) (out, error) {
		e, err := v.Of(v.Height)
		return out{Epoch: e}, err
	})
}

func TestEpochBoundsVectors(t *testing.T) {
	type in struct {
		Epoch uint64
		epoch.Schedule
	}
	economicstest.Walk(t, "epochBounds", errorNames, func(v in) (epoch.Window, error) {
		first, err := v.First(v.Epoch)
		last, lastErr := v.Last(v.Epoch)
		if !errors.Is(lastErr, err) {
			t.Errorf("First gives error %v, Last gives %v", err, lastErr)
		}
		return epoch.Window{First: first, Last: last}, err
	})
}

func TestWindowsVectors(t *testing.T) {
	type in struct {
		Epoch uint64
		epoch.Schedule
	}
	economicstest.Walk(t, "windows", errorNames, func(v in) (epoch.Windows, error) {
		return v.Windows(v.Epoch)
	})
}
