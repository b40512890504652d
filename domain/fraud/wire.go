// SPDX-License-Identifier: Apache-2.0

package fraud

import (
	"encoding/binary"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// MaxEvidence is the largest evidence of any kind, in bytes: an omission with two openings of 64 levels.
const MaxEvidence = 2*(placedHead+openingHead+64*sumtree.EntrySize) + 2 + receipt.SizeCountersigned + 1

const (
	placedHead  = 8 + 4 + 2
	openingHead = 8 + 8 + 96 + 2
)

// Placed is an opening and the place of its group: the batch and the position in it, from 0.
type Placed struct {
	BatchID uint64
	Group   uint32
	Opening sumtree.Opening
}

// Append appends the wire form.
func (p *Placed) Append(dst []byte) []byte {
	opening := p.Opening.Append(nil)
	dst = binary.BigEndian.AppendUint64(dst, p.BatchID)
	dst = binary.BigEndian.AppendUint32(dst, p.Group)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(opening))) //nolint:gosec // 114 + 56 for each of at most 65 entries
	return append(dst, opening...)
}

// Claim is the placed opening with what the chain has committed of its group.
func (p *Placed) Claim(group *sumtree.Group) sumtree.Claim {
	return sumtree.Claim{BatchID: p.BatchID, Group: p.Group, Count: group.Count, Root: group.Root, Opening: p.Opening}
}

// verify checks the opening against its group. Errors: sumtree's.
func (p *Placed) verify(group *sumtree.Group) error {
	if p.Opening.N != group.Count {
		return sumtree.ErrWrongCount
	}
	_, err := p.Opening.Verify(group.Root)
	return err
}

// reader takes parts off the front of evidence; after its first failure it has nothing more to give.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return make([]byte, n)
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *reader) u8() int     { return int(r.take(1)[0]) }
func (r *reader) u16() int    { return int(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// done returns the error of what was read. Errors: ErrLength.
func (r *reader) done() error {
	if r.bad || len(r.rest) > 0 {
		return ErrLength
	}
	return nil
}

func (r *reader) placed() Placed {
	p := Placed{BatchID: r.u64(), Group: r.u32()}
	opening, err := sumtree.DecodeOpening(r.take(r.u16()))
	if err != nil {
		r.bad = true
	}
	p.Opening = opening
	return p
}

// record returns the bytes of a record whose length is one that records have.
func (r *reader) record() []byte {
	n := r.u16()
	if n != receipt.Size && n != receipt.SizeCountersigned {
		r.bad = true
		return nil
	}
	return r.take(n)
}

func appendRecord(dst, sr1 []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(sr1))) //nolint:gosec // a record has at most 598 bytes
	return append(dst, sr1...)
}
