// SPDX-License-Identifier: Apache-2.0

package sumtree_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gpucoord/gpucoord/domain/sumtree"
)

// FuzzDecodeOpening checks that no bytes panic on the way from the wire to a verdict, and that what decodes has one encoding.
func FuzzDecodeOpening(f *testing.F) {
	leaves := []sumtree.Leaf{{Seq: 1, Amount: 5, Tokens: 7, OK: 1}, {Seq: 2, Amount: 6, Fail: 1}, {Seq: 9}}
	tree, err := sumtree.Build(leaves)
	if err != nil {
		f.Fatal(err)
	}
	for i := range tree.Len() {
		o, err := tree.Open(i)
		if err != nil {
			f.Fatal(err)
		}
		wire := o.Append(nil)
		f.Add(wire)
		for _, at := range []int{0, 8, 112} {
			wild := bytes.Clone(wire)
			wild[at], wild[at+1] = 0xff, 0xff
			f.Add(wild)
		}
	}
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, wire []byte) {
		o, err := sumtree.DecodeOpening(wire)
		if err != nil {
			return
		}
		if got := o.Append(nil); !bytes.Equal(got, wire) {
			t.Fatalf("opening has a second encoding: %x and %x", wire, got)
		}
		_, verifyErr := o.Verify(tree.Root())
		claim := sumtree.Claim{Count: o.N, Root: tree.Root(), Opening: o}
		if err := sumtree.CheckDoubleClaim(&claim, &claim); err == nil {
			t.Fatal("a leaf is no double claim of itself")
		}
		groups := []sumtree.Group{{Count: o.N, Root: sumtree.Entry{Amount: o.Leaf.Amount}}, {Count: o.Index, Root: tree.Root()}}
		var seed [32]byte
		copy(seed[:], wire)
		j := binary.BigEndian.Uint32(wire[12:])
		for group := -1; group <= len(groups); group++ {
			if err := sumtree.CheckSample(seed, o.N, j, j%21, groups, group, &o); err == nil && verifyErr != nil {
				t.Fatalf("sample passes and its opening does not: %v", verifyErr)
			}
		}
	})
}
