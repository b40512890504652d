// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

const signatureSize = len(anchor.Signature{})

// signedAnchor is the bundle's anchor.
type signedAnchor struct {
	anchor.Anchor
	bitmap     anchor.Bitmap
	signatures []anchor.Signature
}

// EncodeAnchor returns an anchor with signatures as a bundle carries it; they are those of the members set in bitmap, in their order.
func EncodeAnchor(a anchor.Anchor, bitmap anchor.Bitmap, signatures []anchor.Signature) Anchor {
	out := Anchor{
		Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize,
		Root: a.Root[:], NextValset: a.NextValset[:], Bitmap: bitmap[:],
	}
	for _, s := range signatures {
		out.Signatures = append(out.Signatures, s[:]...)
	}
	return out
}

func (b *Bundle) anchor() (*signedAnchor, error) {
	a := b.Anchor
	out := &signedAnchor{Anchor: anchor.Anchor{Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize}}
	var errs [3]error
	out.Root, errs[0] = array[[32]byte](a.Root, "anchor.root")
	out.NextValset, errs[1] = array[[32]byte](a.NextValset, "anchor.next_valset")
	out.bitmap, errs[2] = array[[32]byte](a.Bitmap, "anchor.bitmap")
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if len(a.Signatures)%signatureSize != 0 {
		return nil, fmt.Errorf("%w: anchor.signatures is not a multiple of %d bytes", ErrFieldLength, signatureSize)
	}
	for rest := []byte(a.Signatures); len(rest) > 0; rest = rest[signatureSize:] {
		out.signatures = append(out.signatures, anchor.Signature(rest[:signatureSize]))
	}
	return out, nil
}

// state is what a bundle proves of the chain's state.
type state struct {
	stores     []storeEntries
	log        log.Range
	members    anchor.Valset
	origin     [32]byte
	evmChainID uint64
}

// StateKey is one entry that a bundle proves.
type StateKey struct {
	Store string
	Key   []byte
}

// StateKeys are the entries that a bundle proves, in their order; signers is the hash of the set that signed the anchor.
func StateKeys(signers [32]byte) []StateKey {
	return []StateKey{
		{anchorstypes.StoreKey, anchorstypes.LogPrefix.Bytes()},
		{anchorstypes.StoreKey, anchorstypes.OriginPrefix.Bytes()},
		{anchorstypes.StoreKey, append(bytes.Clone(anchorstypes.ValsetsPrefix.Bytes()), signers[:]...)},
		{operatorstypes.StoreKey, operatorstypes.ParamsPrefix.Bytes()},
	}
}

// state reads the proven entries, whose proofs are not yet verified.
func (b *Bundle) state() (*state, error) {
	s := &state{}
	var entries []entry
	var names []string
	for _, proof := range b.State {
		store, err := proof.decode()
		if err != nil {
			return nil, err
		}
		s.stores = append(s.stores, store)
		for _, e := range store.entries {
			entries, names = append(entries, e), append(names, proof.Store)
		}
	}
	if len(b.State) != 2 || len(entries) != 4 {
		return nil, fmt.Errorf("%w: %d stores with %d entries", ErrStateKey, len(b.State), len(entries))
	}
	if err := s.decode(entries); err != nil {
		return nil, err
	}
	for i, want := range StateKeys(s.members.Hash()) {
		if names[i] != want.Store || !bytes.Equal(entries[i].key, want.Key) {
			return nil, fmt.Errorf("%w: %s %X, want %s %X", ErrStateKey, names[i], entries[i].key, want.Store, want.Key)
		}
	}
	if !bytes.Equal(s.origin[:], b.OriginID) {
		return nil, fmt.Errorf("%w: %x", ErrWrongOrigin, s.origin)
	}
	return s, nil
}

// decode reads the values of the four entries.
func (s *state) decode(entries []entry) (err error) {
	if s.log, err = decodeLog(entries[0].value); err != nil {
		return err
	}
	if s.origin, err = array[[32]byte](entries[1].value, "origin in the state"); err != nil {
		return err
	}
	if s.members, err = decodeMembers(entries[2].value); err != nil {
		return err
	}
	var params operatorstypes.Params
	if err := params.Unmarshal(entries[3].value); err != nil {
		return fmt.Errorf("%w: operators' parameters: %w", ErrStateValue, err)
	}
	s.evmChainID = params.EvmChainId
	return nil
}

func decodeLog(value []byte) (log.Range, error) {
	var stored anchorstypes.LogState
	if err := stored.Unmarshal(value); err != nil {
		return log.Range{}, fmt.Errorf("%w: log: %w", ErrStateValue, err)
	}
	r := log.Range{Size: stored.Size_}
	for _, hash := range stored.Hashes {
		h, err := array[[32]byte](hash, "log hash in the state")
		if err != nil {
			return log.Range{}, err
		}
		r.Hashes = append(r.Hashes, h)
	}
	if err := r.Validate(); err != nil {
		return log.Range{}, fmt.Errorf("%w: log: %w", ErrStateValue, err)
	}
	return r, nil
}

func decodeMembers(value []byte) (anchor.Valset, error) {
	var stored anchorstypes.Valset
	if err := stored.Unmarshal(value); err != nil {
		return nil, fmt.Errorf("%w: members: %w", ErrStateValue, err)
	}
	set := make(anchor.Valset, 0, len(stored.Members))
	for _, m := range stored.Members {
		address, err := array[[20]byte](m.Address, "member's address in the state")
		if err != nil {
			return nil, err
		}
		set = append(set, anchor.Member{Address: address, Power: m.Power})
	}
	if err := set.Validate(); err != nil {
		return nil, fmt.Errorf("%w: members: %w", ErrStateValue, err)
	}
	return set, nil
}

// verify checks all proofs against a header's app hash.
func (s *state) verify(appHash []byte) error {
	for i := range s.stores {
		if err := s.stores[i].verify(appHash); err != nil {
			return err
		}
	}
	return nil
}
