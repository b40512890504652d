// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"fmt"

	"github.com/cometbft/cometbft/proto/tendermint/crypto"
)

// AddStateProof adds the proof of one entry, as a node answers with it, to the proofs of its store.
//
// Errors: ErrStateProof for anything but an existing entry of an IAVL store, or a proof of another state than those before.
func AddStateProof(proofs []StoreProof, store string, ops *crypto.ProofOps) ([]StoreProof, error) {
	if ops == nil || len(ops.Ops) != 2 {
		return nil, fmt.Errorf("%w: the node sent no proof of two steps for store %s", ErrStateProof, store)
	}
	for _, op := range ops.Ops {
		if _, err := decodeProof(op.Data); err != nil {
			return nil, err
		}
	}
	item, root := Bytes(ops.Ops[0].Data), Bytes(ops.Ops[1].Data)
	last := len(proofs) - 1
	if last < 0 || proofs[last].Store != store {
		return append(proofs, StoreProof{Store: store, Root: root, Entries: []Bytes{item}}), nil
	}
	if !bytes.Equal(proofs[last].Root, root) {
		return nil, fmt.Errorf("%w: proofs of store %s are of different heights", ErrStateProof, store)
	}
	proofs[last].Entries = append(proofs[last].Entries, item)
	return proofs, nil
}
