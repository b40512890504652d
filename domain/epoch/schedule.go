// SPDX-License-Identifier: Apache-2.0

// Package epoch maps block heights to epochs and to the windows in which the work of an epoch is submitted, drawn,
// opened, challenged and finalised. Everything is counted in blocks; wall time plays no part.
package epoch

import (
	"errors"
	"math/bits"

	"github.com/gpucoord/gpucoord/domain/u128"
)

// Errors of this package.
var (
	// ErrBadWindow means that a length of the schedule is 0.
	ErrBadWindow = errors.New("a length of the schedule is 0 blocks: set every length to at least 1")
	// ErrBeforeGenesis means that the height is before the first block of epoch 0.
	ErrBeforeGenesis = errors.New("the height is before the genesis height: ask from the first block of the chain on")
	// ErrOverflow means that a height or length does not fit 64 bits.
	ErrOverflow = errors.New("the epoch or a length is too large for 64-bit heights: use smaller values")
)

// Schedule holds the lengths, in blocks, that every epoch of the chain follows.
type Schedule struct {
	EpochBlocks     uint64 // length of an epoch
	SubmitBlocks    uint64 // batches of the epoch before are submitted
	BeaconBlocks    uint64 // the random beacon is awaited
	OpenBlocks      uint64 // operators open the drawn samples
	ChallengeBlocks uint64 // anyone may challenge
	ResponseBlocks  uint64 // answer to a challenge, which is extended once
	GenesisHeight   uint64 // first block of epoch 0
}

// Of returns the epoch that holds the block at height. Only EpochBlocks and GenesisHeight are looked at.
//
// Errors: ErrBadWindow (EpochBlocks is 0), ErrBeforeGenesis.
func (s Schedule) Of(height uint64) (uint64, error) {
	if s.EpochBlocks == 0 {
		return 0, ErrBadWindow
	}
	if height < s.GenesisHeight {
		return 0, ErrBeforeGenesis
	}
	return (height - s.GenesisHeight) / s.EpochBlocks, nil
}

// First returns the height of the first block of epoch e.
//
// Errors: ErrBadWindow (EpochBlocks is 0), ErrOverflow (the last block of the epoch does not fit 64 bits).
func (s Schedule) First(e uint64) (uint64, error) {
	w, err := s.bounds(e)
	return w.First, err
}

// Last returns the height of the last block of epoch e. Errors: as [Schedule.First].
func (s Schedule) Last(e uint64) (uint64, error) {
	w, err := s.bounds(e)
	return w.Last, err
}

// bounds returns the first and the last block of epoch e.
func (s Schedule) bounds(e uint64) (Window, error) {
	if s.EpochBlocks == 0 {
		return Window{}, ErrBadWindow
	}
	hi, offset := bits.Mul64(e, s.EpochBlocks)
	first, ok := u128.Add(s.GenesisHeight, offset)
	if hi > 0 || !ok {
		return Window{}, ErrOverflow
	}
	last, ok := u128.Add(first, s.EpochBlocks-1)
	if !ok {
		return Window{}, ErrOverflow
	}
	return Window{First: first, Last: last}, nil
}

// Validate checks the lengths: none is 0, and the least unbonding time fits 64 bits.
//
// Errors: ErrBadWindow, ErrOverflow.
func (s Schedule) Validate() error {
	_, err := s.minUnbonding()
	return err
}

// minUnbonding returns twice the time from the first block of an epoch to its last possible finalisation, so that a
// bond cannot leave before the work it stands for is final.
func (s Schedule) minUnbonding() (uint64, error) {
	lengths := [...]uint64{s.EpochBlocks, s.SubmitBlocks, s.BeaconBlocks, s.OpenBlocks, s.ChallengeBlocks, s.ResponseBlocks}
	for _, length := range lengths {
		if length == 0 {
			return 0, ErrBadWindow
		}
	}
	sum, ok := u128.Sum(lengths[:])
	if !ok {
		return 0, ErrOverflow
	}
	twice, ok := u128.Add(sum, sum)
	if !ok {
		return 0, ErrOverflow
	}
	return twice, nil
}
