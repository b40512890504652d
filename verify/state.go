// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"fmt"

	ics23 "github.com/cosmos/ics23/go"
)

// entry is a key and value that a proof contains.
type entry struct {
	key, value []byte
	proof      *ics23.CommitmentProof
}

// decodeProof reads an existence proof in its one encoding. No other kind of proof is read.
func decodeProof(b []byte) (entry, error) {
	var p ics23.CommitmentProof
	if err := p.Unmarshal(b); err != nil {
		return entry{}, fmt.Errorf("%w: %w", ErrStateProof, err)
	}
	exist := p.GetExist()
	if exist == nil || exist.Leaf == nil {
		return entry{}, fmt.Errorf("%w: not an existence proof", ErrStateProof)
	}
	again, err := p.Marshal()
	if err != nil || !bytes.Equal(again, b) {
		return entry{}, fmt.Errorf("%w: not in its one encoding", ErrStateProof)
	}
	return entry{key: exist.Key, value: exist.Value, proof: &p}, nil
}

// storeEntries are the proven entries of one store.
type storeEntries struct {
	name    string
	root    entry
	entries []entry
}

func (s *StoreProof) decode() (storeEntries, error) {
	root, err := decodeProof(s.Root)
	if err != nil {
		return storeEntries{}, err
	}
	out := storeEntries{name: s.Store, root: root}
	for _, b := range s.Entries {
		e, err := decodeProof(b)
		if err != nil {
			return storeEntries{}, err
		}
		out.entries = append(out.entries, e)
	}
	return out, nil
}

// verify checks that the store's root is in the app hash under its name, and each entry in the store.
func (s *storeEntries) verify(appHash []byte) error {
	if !ics23.VerifyMembership(ics23.TendermintSpec, appHash, s.root.proof, []byte(s.name), s.root.value) {
		return fmt.Errorf("%w: store %s in app hash %X", ErrStateProof, s.name, appHash)
	}
	for _, e := range s.entries {
		if !ics23.VerifyMembership(ics23.IavlSpec, s.root.value, e.proof, e.key, e.value) {
			return fmt.Errorf("%w: key %X in store %s", ErrStateProof, e.key, s.name)
		}
	}
	return nil
}
