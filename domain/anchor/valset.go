// SPDX-License-Identifier: Apache-2.0

package anchor

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// MaxMembers is how many members a set may have: the contract's bitmap is one word.
const MaxMembers = 256

// MaxTotalPower is the largest sum of powers, CometBFT's own; three times it fits 64 bits.
const MaxTotalPower = (1<<63 - 1) / 8

// Member is one validator as the EVM sees it.
type Member struct {
	// Address is that of the anchor key.
	Address [20]byte
	// Power is the voting power.
	Power uint64
}

// Valset is a set of members in ascending order of address.
type Valset []Member

// Sort brings members into the order that Validate asks for.
func (v Valset) Sort() {
	slices.SortFunc(v, func(a, b Member) int { return bytes.Compare(a.Address[:], b.Address[:]) })
}

// Validate says whether the contract would accept the set.
//
// Errors: ErrEmptySet, ErrTooMany, ErrZeroAddress, ErrZeroPower, ErrPowerTooHigh, ErrOrder.
func (v Valset) Validate() error {
	if len(v) == 0 {
		return ErrEmptySet
	}
	if len(v) > MaxMembers {
		return ErrTooMany
	}
	var total uint64
	for i, m := range v {
		switch {
		case m.Address == [20]byte{}:
			return ErrZeroAddress
		case m.Power == 0:
			return ErrZeroPower
		case m.Power > MaxTotalPower-total:
			return ErrPowerTooHigh
		case i > 0 && bytes.Compare(v[i-1].Address[:], m.Address[:]) >= 0:
			return ErrOrder
		}
		total += m.Power
	}
	return nil
}

// Total is the sum of the powers of a set that Validate accepts.
func (v Valset) Total() (total uint64) {
	for _, m := range v {
		total += m.Power
	}
	return total
}

// Enough reports whether power is more than two thirds of the set's.
func (v Valset) Enough(power uint64) bool { return power <= MaxTotalPower && 3*power > 2*v.Total() }

// Packed returns a word for each member, address | power (96 bits): the contract's argument.
func (v Valset) Packed() [][32]byte {
	words := make([][32]byte, len(v))
	for i, m := range v {
		copy(words[i][:20], m.Address[:])
		binary.BigEndian.PutUint64(words[i][24:], m.Power)
	}
	return words
}

// Unpack reads the words that Packed wrote.
//
// Errors: ErrPowerTooHigh for a power beyond 64 bits, and those of Validate.
func Unpack(words [][32]byte) (Valset, error) {
	if len(words) > MaxMembers {
		return nil, ErrTooMany
	}
	v := make(Valset, len(words))
	for i, w := range words {
		if binary.BigEndian.Uint32(w[20:24]) != 0 {
			return nil, ErrPowerTooHigh
		}
		v[i] = Member{Address: [20]byte(w[:20]), Power: binary.BigEndian.Uint64(w[24:])}
	}
	return v, v.Validate()
}

// Hash is the set's hash: Keccak-256 of its packed words.
func (v Valset) Hash() [32]byte {
	b := make([]byte, 0, 32*len(v))
	for _, w := range v.Packed() {
		b = append(b, w[:]...)
	}
	return keccak(b)
}

// Index returns the position of address in the set, or -1.
func (v Valset) Index(address [20]byte) int {
	i, found := slices.BinarySearchFunc(v, address, func(m Member, a [20]byte) int { return bytes.Compare(m.Address[:], a[:]) })
	if !found {
		return -1
	}
	return i
}
