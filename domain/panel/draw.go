// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"

	"github.com/gpucoord/gpucoord/domain/u128"
)

const (
	drawPreimage = 48
	// maxSize bounds a panel: a draw costs the square of its size.
	maxSize = 1024
)

// Seat is one drawn prober: its position in the order of probers and its range [First, First + Bond) of the running sums.
type Seat struct {
	Index       int
	First, Bond uint64
}

// Find returns the prober whose range holds the place at, which is below the sum of all bonds.
type Find func(at uint64) (Seat, error)

// Draw returns the positions of the probers drawn for an epoch, in the order of the seats. A prober with no bond is never
// drawn; where fewer have one than there are seats, each of them gets a seat.
//
// Errors, in order: ErrBadSize (size below 1 or above 1024), ErrSumOverflow, ErrNoProbers.
func Draw(seed [32]byte, epoch uint64, bonds []uint64, size int) ([]int, error) {
	if size < 1 || size > maxSize {
		return nil, ErrBadSize
	}
	ends := make([]uint64, len(bonds))
	total := uint64(0)
	for i, bond := range bonds {
		var ok bool
		if total, ok = u128.Add(total, bond); !ok {
			return nil, ErrSumOverflow
		}
		ends[i] = total
	}
	seats, err := DrawFrom(seed, epoch, total, size, func(at uint64) (Seat, error) {
		i := sort.Search(len(ends), func(i int) bool { return ends[i] > at })
		return Seat{Index: i, First: ends[i] - bonds[i], Bond: bonds[i]}, nil
	})
	if err != nil {
		return nil, err
	}
	drawn := make([]int, len(seats))
	for i, seat := range seats {
		drawn[i] = seat.Index
	}
	return drawn, nil
}

// DrawFrom is [Draw] over an index of running sums that the caller keeps: total is the sum of all bonds, find looks a place
// up. It calls find once for each seat.
//
// Errors, in order: ErrBadSize, ErrNoProbers (total 0); for each seat those of find, ErrBadIndex (the range found does not
// hold the place, ends behind total, or overlaps one already drawn).
func DrawFrom(seed [32]byte, epoch, total uint64, size int, find Find) ([]Seat, error) {
	if size < 1 || size > maxSize {
		return nil, ErrBadSize
	}
	if total == 0 {
		return nil, ErrNoProbers
	}
	var seats, ordered []Seat // in the order drawn, and by First
	left := total
	for i := 0; i < size && left > 0; i++ {
		at := mod(SeatHash(seed, epoch, uint32(i)), left) //nolint:gosec // i is below 1024
		next := len(ordered)
		for n, taken := range ordered {
			if at < taken.First {
				next = n
				break
			}
			at += taken.Bond // all ranges end by total, so this fits
		}
		seat, err := find(at)
		if err != nil {
			return nil, err
		}
		if !seat.holds(at, total) || next < len(ordered) && ordered[next].First-seat.First < seat.Bond ||
			next > 0 && seat.First < ordered[next-1].First+ordered[next-1].Bond {
			return nil, ErrBadIndex
		}
		seats = append(seats, seat)
		ordered = append(ordered, seat)
		slices.SortFunc(ordered, func(a, b Seat) int { return cmp.Compare(a.First, b.First) })
		left -= seat.Bond
	}
	return seats, nil
}

// holds reports whether at lies in the seat's range and the range within total.
func (s Seat) holds(at, total uint64) bool {
	return s.First <= at && at-s.First < s.Bond && s.First < total && s.Bond <= total-s.First
}

// SeatHash returns the hash that draws a seat: SHA256("GCP0" | seed | epoch u64 | seat u32).
func SeatHash(seed [32]byte, epoch uint64, seat uint32) [32]byte {
	var b [drawPreimage]byte
	copy(b[:], "GCP0")
	copy(b[4:], seed[:])
	binary.BigEndian.PutUint64(b[36:], epoch)
	binary.BigEndian.PutUint32(b[44:], seat)
	return sha256.Sum256(b[:])
}

// mod returns a 256-bit big-endian integer modulo m; m > 0.
func mod(h [32]byte, m uint64) uint64 {
	rem := uint64(0)
	for i := 0; i < len(h); i += 8 {
		rem = bits.Rem64(rem, binary.BigEndian.Uint64(h[i:]), m)
	}
	return rem
}
