// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// goVerdict is domain/anchor's answer to the same submission, with the compact signatures taken apart.
func goVerdict(set anchor.Valset, s submission) error {
	if !slices.Equal(s.members, set.Packed()) {
		return anchor.ErrWrongSet
	}
	if len(s.sigs)%64 != 0 {
		return anchor.ErrBitmap
	}
	var sigs []anchor.Signature
	for c := range slices.Chunk(s.sigs, 64) {
		sig := anchor.Signature{}
		copy(sig[:], c)
		sig[64] = 27 + sig[32]>>7
		sig[32] &= 0x7f
		sigs = append(sigs, sig)
	}
	digest := anchor.NewDomain(testOrigin).Digest(s.anchor)
	return set.Verify(digest, s.bitmap, sigs, func(d [32]byte, sig [65]byte) ([20]byte, error) { return receipt.RecoverAddress(d, sig) })
}

// TestSetsOfEverySize submits the quorum that domain/anchor picks, and refuses one signature less, on both sides.
func TestSetsOfEverySize(t *testing.T) {
	eachRule(t, func(t *testing.T, c *chain) {
		for _, n := range []int{1, 4, 21, 100, 256} {
			s := newSigners(t, byte(n), n, func(i int) uint64 { return uint64(1 + i%7) })
			to := c.deployAnchor(s.set.Hash(), common.Address{})
			if out, _ := c.call(to, binding.PackValset()); !bytes.Equal(out, sliceOf(s.set.Hash())) {
				t.Errorf("N = %d: the contract holds %x", n, out)
			}
			a := anchor.Anchor{Nonce: 1, Height: 1, Time: c.now(), TreeSize: 1, Root: [32]byte{1}, NextValset: s.set.Hash()}
			sub := s.quorum(t, a)
			c.refused(to, s.set, s.without(sub), "LowPower")
			if err := goVerdict(s.set, sub); err != nil {
				t.Errorf("N = %d: domain/anchor refuses its own quorum: %v", n, err)
			}
			if r := c.send(&to, sub.pack()); r.Status != types.ReceiptStatusSuccessful {
				_, reason := c.call(to, sub.pack())
				t.Errorf("N = %d: %s", n, reason)
			}
			again := s.all(a)
			c.refused(to, nil, again, "BadNonce")
		}
	})
}

func sliceOf(h [32]byte) []byte { return h[:] }

// without drops the first signer.
func (s signers) without(sub submission) submission {
	for i := range s.set {
		if sub.bitmap.Has(i) {
			sub.bitmap[31-i/8] &^= 1 << (i % 8)
			break
		}
	}
	sub.sigs = sub.sigs[64:]
	return sub
}

// refused checks the contract's reason, and with a set that domain/anchor refuses as well.
func (c *chain) refused(to common.Address, set anchor.Valset, sub submission, want string) {
	c.t.Helper()
	if _, reason := c.call(to, sub.pack()); reason != want {
		c.t.Errorf("refused as %q, want %q", reason, want)
	}
	if set == nil {
		return
	}
	if err := goVerdict(set, sub); err == nil {
		c.t.Errorf("domain/anchor takes what the contract refuses as %s", want)
	}
}

// TestBadSubmissions gives both sides the same faults.
func TestBadSubmissions(t *testing.T) {
	eachRule(t, func(t *testing.T, c *chain) {
		s, other := newSigners(t, 1, 4, equalPower), newSigners(t, 2, 4, equalPower)
		to := c.deployAnchor(s.set.Hash(), common.Address{})
		a := anchor.Anchor{Nonce: 1, Height: 1, Time: c.now(), TreeSize: 1, Root: [32]byte{1}, NextValset: s.set.Hash()}
		for want, faults := range map[string][]func(*submission){
			"BadValset": {
				func(x *submission) { *x = other.quorum(t, a) },
				func(x *submission) { x.members[0], x.members[1] = x.members[1], x.members[0] },
				func(x *submission) { x.members[0][31]++ },
				func(x *submission) { x.members = x.members[:3] },
			},
			"BadLength": {
				func(x *submission) { x.bitmap.Set(4) },
				func(x *submission) { x.bitmap.Set(255) },
				func(x *submission) { x.bitmap.Set(3) },
				func(x *submission) { x.sigs = x.sigs[:len(x.sigs)-1] },
				func(x *submission) { x.sigs = append(x.sigs, 0) },
				func(x *submission) { x.sigs = append(x.sigs, x.sigs[:64]...) },
			},
			"BadSignature": {
				func(x *submission) { x.sigs[70] ^= 1 },
				func(x *submission) { copy(x.sigs[64:], x.sigs[:64]) },
				func(x *submission) { x.sigs[32] ^= 0x80 },
				func(x *submission) { mirror(x.sigs[64:128]) },
				func(x *submission) { clear(x.sigs[128:]) },
				func(x *submission) { x.anchor.Height++ },
			},
		} {
			for i, fault := range faults {
				t.Run(fmt.Sprint(want, i), func(t *testing.T) {
					sub := s.quorum(t, a)
					fault(&sub)
					here := *c
					here.t = t
					here.refused(to, s.set, sub, want)
				})
			}
		}
		sub := s.quorum(t, a)
		if _, reason := c.call(to, sub.pack()); reason != "" {
			t.Errorf("without a fault: %s", reason)
		}
	})
}

// mirror turns a compact signature into its second form: the order less s, and the other v.
func mirror(sig []byte) {
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	v := sig[32] & 0x80
	sig[32] &= 0x7f
	order.Sub(order, new(big.Int).SetBytes(sig[32:])).FillBytes(sig[32:])
	sig[32] |= v ^ 0x80 // the top bit of a high s is lost here: it holds v
}

// TestLife grows a log over rotations with proofs by domain/log, proves a leaf, and freezes on a conflict.
func TestLife(t *testing.T) {
	eachRule(t, func(t *testing.T, c *chain) {
		sets := []signers{newSigners(t, 1, 4, equalPower), newSigners(t, 2, 7, equalPower), newSigners(t, 3, 1, equalPower)}
		to := c.deployAnchor(sets[0].set.Hash(), common.Address{})
		hashes := hashesUpTo(300)
		var size uint64
		var newest submission
		for i := range 8 {
			holder, heir := sets[i/2%3], sets[(i+1)/2%3]
			grown := size + uint64(i*i)
			a := anchor.Anchor{
				Nonce: uint64(i*3 + 1), Height: uint64(i*100 + 1), Time: c.now(), TreeSize: grown, Root: log.Root(hashes[:grown]), NextValset: heir.set.Hash(),
			}
			newest = holder.quorum(t, a)
			if size > 0 {
				proof, err := log.ConsistencyProof(hashes, size, grown)
				if err != nil {
					t.Fatal(err)
				}
				newest.consistency = proof
			}
			c.gasOf(to, newest.pack())
			size = grown
		}
		proof, err := log.InclusionProof(hashes, 77, size)
		if err != nil {
			t.Fatal(err)
		}
		included := func() bool {
			out, reverted := c.call(to, binding.PackVerifyInclusion(bound(newest.anchor), hashes[77], big.NewInt(77), proof))
			if reverted != "" {
				t.Fatal(reverted)
			}
			ok, err := binding.UnpackVerifyInclusion(out)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if !included() {
			t.Error("a leaf of the newest anchor is not proven")
		}
		lie := newest.anchor
		lie.Root = [32]byte{1}
		fork := sets[7/2%3].quorum(t, lie)
		data := binding.PackFreeze(bound(newest.anchor), nil, new(big.Int), nil,
			bound(fork.anchor), fork.members, new(big.Int).SetBytes(fork.bitmap[:]), fork.sigs)
		c.gasOf(to, data)
		if included() {
			t.Error("a frozen contract still proves")
		}
		c.refused(to, nil, newest, "IsFrozen")
	})
}
