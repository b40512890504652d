// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	rpcclient "github.com/cometbft/cometbft/rpc/client"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/verify"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Errors of what a node has for a bundle.
var (
	errNotSettled  = errors.New("the batch is not settled, so it is not in the log")
	errNotAnchored = errors.New("the anchor is older than the batch's leaf: wait for the next one")
	errNodeAnswer  = errors.New("the node's answer does not fit the format")
	errTrustHeight = errors.New("--trust-height must be below the height of the bundle's header")
)

// bundler asks one node for all that a bundle holds.
type bundler struct {
	options   bundleOptions
	clientCtx client.Context
	node      client.CometRPC
	anchors   anchorstypes.QueryClient
	receipts  receiptstypes.QueryClient
	operators operatorstypes.QueryClient
}

func newBundler(clientCtx client.Context, o bundleOptions) *bundler {
	return &bundler{
		options: o, clientCtx: clientCtx, node: clientCtx.Client,
		anchors:   anchorstypes.NewQueryClient(clientCtx),
		receipts:  receiptstypes.NewQueryClient(clientCtx.WithHeight(o.batchHeight)),
		operators: operatorstypes.NewQueryClient(clientCtx),
	}
}

// make asks for everything, the header last, so that its state has what was read before.
func (b *bundler) make(ctx context.Context, want wanted) (*verify.Bundle, verify.Trust, error) {
	claim, err := b.find(ctx, want)
	if err != nil {
		return nil, verify.Trust{}, err
	}
	bundle := &verify.Bundle{Format: verify.Format}
	if err := claim.put(bundle); err != nil {
		return nil, verify.Trust{}, err
	}
	attested, signers, err := b.putAnchor(ctx, bundle, claim.batch.LogIndex-1)
	if err != nil {
		return nil, verify.Trust{}, err
	}
	if err := b.putLeaf(ctx, bundle, claim, attested.TreeSize); err != nil {
		return nil, verify.Trust{}, err
	}
	header, err := b.putHeader(ctx, bundle)
	if err != nil {
		return nil, verify.Trust{}, err
	}
	if err := b.putState(ctx, bundle, signers, header.Height-1, attested.TreeSize); err != nil {
		return nil, verify.Trust{}, err
	}
	return bundle, verify.Trust{Height: header.Height, Hash: [32]byte(header.Hash())}, nil
}

// put writes the record, its opening and its group.
func (c *claim) put(bundle *verify.Bundle) error {
	groups, err := batchGroups(&c.batch)
	if err != nil {
		return err
	}
	g := groups[c.group]
	path, err := sumtree.GroupPath(groups, c.group)
	if err != nil {
		return err
	}
	bundle.Record = c.record
	bundle.Opening = c.opening.Append(nil)
	bundle.Group = verify.Group{
		Index: uint64(c.group), HostKey: g.Operator[:], Settler: g.Settler[:], ModelID: g.ModelID[:], AdapterID: g.AdapterID[:], //nolint:gosec // an index
		Count: g.Count, FirstSeq: g.FirstSeq, LastSeq: g.LastSeq, Root: g.Root.Append(nil), Path: joinHashes(path),
	}
	return nil
}

// putAnchor writes the anchor with the fewest signatures that suffice, and returns it and the set that signed it.
func (b *bundler) putAnchor(ctx context.Context, bundle *verify.Bundle, index uint64) (anchor.Anchor, [32]byte, error) {
	origin, err := b.anchors.Origin(ctx, &anchorstypes.QueryOriginRequest{})
	if err != nil {
		return anchor.Anchor{}, [32]byte{}, fmt.Errorf("ask for the origin id: %w", err)
	}
	bundle.OriginID = origin.Origin
	stored, err := b.attested(ctx)
	if err != nil {
		return anchor.Anchor{}, [32]byte{}, fmt.Errorf("ask for the anchor: %w", err)
	}
	if stored.Anchor.TreeSize <= index {
		return anchor.Anchor{}, [32]byte{}, fmt.Errorf("%w (anchor %d has %d leaves, the batch is leaf %d)", errNotAnchored,
			stored.Anchor.Nonce, stored.Anchor.TreeSize, index)
	}
	if len(stored.Anchor.Root) != 32 || len(stored.Anchor.NextValset) != 32 || len(stored.SignersHash) != 32 {
		return anchor.Anchor{}, [32]byte{}, fmt.Errorf("%w: anchor", errNodeAnswer)
	}
	a := anchor.Anchor{
		Nonce: stored.Anchor.Nonce, Height: stored.Anchor.Height, Time: stored.Anchor.Time, TreeSize: stored.Anchor.TreeSize,
		Root: [32]byte(stored.Anchor.Root), NextValset: [32]byte(stored.Anchor.NextValset),
	}
	signers := [32]byte(stored.SignersHash)
	set, err := b.members(ctx, signers)
	if err != nil {
		return anchor.Anchor{}, [32]byte{}, err
	}
	var signed []anchor.Signed
	for _, s := range stored.Signatures {
		if int(s.Member) >= len(set) || len(s.Signature) != len(anchor.Signature{}) {
			return anchor.Anchor{}, [32]byte{}, fmt.Errorf("%w: signature of the anchor", errNodeAnswer)
		}
		signed = append(signed, anchor.Signed{Member: int(s.Member), Signature: anchor.Signature(s.Signature)})
	}
	bitmap, signatures, err := set.Quorum(signed)
	if err != nil {
		return anchor.Anchor{}, [32]byte{}, err
	}
	bundle.Anchor = verify.EncodeAnchor(a, bitmap, signatures)
	return a, signers, nil
}

// attested returns the newest anchor, or the one that was asked for.
func (b *bundler) attested(ctx context.Context) (anchorstypes.AttestedAnchor, error) {
	if b.options.nonce != 0 {
		answer, err := b.anchors.Anchor(ctx, &anchorstypes.QueryAnchorRequest{Nonce: b.options.nonce})
		if err != nil {
			return anchorstypes.AttestedAnchor{}, err
		}
		return answer.Anchor, nil
	}
	answer, err := b.anchors.LatestAnchor(ctx, &anchorstypes.QueryLatestAnchorRequest{})
	if err != nil {
		return anchorstypes.AttestedAnchor{}, err
	}
	return answer.Anchor, nil
}

func (b *bundler) members(ctx context.Context, hash [32]byte) (anchor.Valset, error) {
	answer, err := b.anchors.Valset(ctx, &anchorstypes.QueryValsetRequest{Hash: hex.EncodeToString(hash[:])})
	if err != nil {
		return nil, fmt.Errorf("ask for the anchor's members: %w", err)
	}
	var set anchor.Valset
	for _, m := range answer.Valset.Members {
		if len(m.Address) != 20 {
			return nil, fmt.Errorf("%w: member's address", errNodeAnswer)
		}
		set = append(set, anchor.Member{Address: [20]byte(m.Address), Power: m.Power})
	}
	if err := set.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNodeAnswer, err)
	}
	return set, nil
}

// putLeaf writes the batch's leaf of the log and its path at the anchor's size.
func (b *bundler) putLeaf(ctx context.Context, bundle *verify.Bundle, c *claim, size uint64) error {
	index := c.batch.LogIndex - 1
	groups, err := batchGroups(&c.batch)
	if err != nil {
		return err
	}
	batch, err := sumtree.BatchOf(groups)
	if err != nil {
		return fmt.Errorf("%w: %w", errNodeAnswer, err)
	}
	_, operator, err := bech32.DecodeAndConvert(c.batch.Operator)
	if err != nil || len(operator) != 20 {
		return fmt.Errorf("%w: operator of batch %d", errNodeAnswer, c.batch.Id)
	}
	proof, err := b.anchors.Inclusion(ctx, &anchorstypes.QueryInclusionRequest{Index: index, TreeSize: size})
	if err != nil {
		return fmt.Errorf("ask for the proof of leaf %d (an archive node has all of them): %w", index, err)
	}
	data := log.BatchLeaf(c.batch.Id, [20]byte(operator), groups[0].HostID, c.batch.Epoch, batch.Count, batch.Amount, batch.Root)
	bundle.Leaf = verify.Leaf{Index: index, Data: data, Path: bytes.Join(proof.Proof, nil)}
	return nil
}

// putState writes the proofs of the state at height, and that the anchor's log is a beginning of the log there.
func (b *bundler) putState(ctx context.Context, bundle *verify.Bundle, signers [32]byte, height int64, size uint64) error {
	var stored anchorstypes.LogState
	for i, k := range verify.StateKeys(signers) {
		answer, err := b.node.ABCIQueryWithOptions(ctx, "/store/"+k.Store+"/key", k.Key, rpcclient.ABCIQueryOptions{Height: height, Prove: true})
		if err != nil {
			return fmt.Errorf("ask for the state of height %d: %w", height, err)
		}
		if !answer.Response.IsOK() {
			return fmt.Errorf("%w: state of height %d: %s", errNodeAnswer, height, answer.Response.Log)
		}
		if bundle.State, err = verify.AddStateProof(bundle.State, k.Store, answer.Response.ProofOps); err != nil {
			return err
		}
		if i != 0 {
			continue
		}
		if err := stored.Unmarshal(answer.Response.Value); err != nil {
			return fmt.Errorf("%w: log: %w", errNodeAnswer, err)
		}
	}
	if stored.Size_ == size {
		return nil
	}
	answer, err := b.anchors.Consistency(ctx, &anchorstypes.QueryConsistencyRequest{From: size, To: stored.Size_})
	if err != nil {
		return fmt.Errorf("ask for the proof between %d and %d leaves: %w", size, stored.Size_, err)
	}
	bundle.LogConsistency = bytes.Join(answer.Proof, nil)
	return nil
}

func joinHashes(path [][32]byte) (b []byte) {
	for _, h := range path {
		b = append(b, h[:]...)
	}
	return b
}
