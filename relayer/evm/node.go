// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/relayer/chain"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// errShape says that a node's answer has a field of another length than the protocol gives it.
var errShape = errors.New("the node's answer has a field of a wrong length; check which release it runs")

// Node is a gpucoord node.
type Node struct {
	anchors anchorstypes.QueryClient
	head    func(ctx context.Context) (chain.Head, error)
}

// NewNode returns the node that client is connected to.
func NewNode(client *chain.Client) Node { return Node{anchors: client.Anchors, head: client.Head} }

// Origin implements Chain. It is asked for first, so the chain is checked here.
func (n Node) Origin(ctx context.Context) (origin [32]byte, err error) {
	if _, err := n.head(ctx); err != nil {
		return origin, err
	}
	res, err := n.anchors.Origin(ctx, &anchorstypes.QueryOriginRequest{})
	if err != nil {
		return origin, err
	}
	return word(res.Origin)
}

// Latest implements Chain.
func (n Node) Latest(ctx context.Context) (Attested, error) {
	res, err := n.anchors.LatestAnchor(ctx, &anchorstypes.QueryLatestAnchorRequest{})
	if err != nil {
		return Attested{}, absent(err)
	}
	return attested(&res.Anchor)
}

// At implements Chain.
func (n Node) At(ctx context.Context, nonce uint64) (Attested, error) {
	res, err := n.anchors.Anchor(ctx, &anchorstypes.QueryAnchorRequest{Nonce: nonce})
	if err != nil {
		return Attested{}, absent(err)
	}
	return attested(&res.Anchor)
}

// Next implements Chain.
func (n Node) Next(ctx context.Context, valset [32]byte, nonce uint64) (Attested, error) {
	res, err := n.anchors.NextSubmittable(ctx, &anchorstypes.QueryNextSubmittableRequest{Valset: hex.EncodeToString(valset[:]), Nonce: nonce})
	if err != nil {
		return Attested{}, absent(err)
	}
	return attested(&res.Anchor)
}

// Valset implements Chain.
func (n Node) Valset(ctx context.Context, hash [32]byte) (anchor.Valset, error) {
	res, err := n.anchors.Valset(ctx, &anchorstypes.QueryValsetRequest{Hash: hex.EncodeToString(hash[:])})
	if err != nil {
		return nil, absent(err)
	}
	set := make(anchor.Valset, len(res.Valset.Members))
	for i, m := range res.Valset.Members {
		if len(m.Address) != 20 {
			return nil, errShape
		}
		set[i] = anchor.Member{Address: [20]byte(m.Address), Power: m.Power}
	}
	return set, nil
}

// Consistency implements Chain.
func (n Node) Consistency(ctx context.Context, from, to uint64) ([][32]byte, error) {
	res, err := n.anchors.Consistency(ctx, &anchorstypes.QueryConsistencyRequest{From: from, To: to})
	if err != nil {
		return nil, err
	}
	path := make([][32]byte, len(res.Proof))
	for i, raw := range res.Proof {
		if path[i], err = word(raw); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// Newest implements Chain.
func (n Node) Newest(ctx context.Context) (Newest, error) {
	head, err := n.head(ctx)
	if err != nil {
		return Newest{}, err
	}
	res, err := n.anchors.Log(chain.AtHeight(ctx, head.Height), &anchorstypes.QueryLogRequest{})
	if err != nil {
		return Newest{}, err
	}
	root, err := word(res.Root)
	return Newest{Height: head.Height, Time: uint64(max(0, head.Time.Unix())), TreeSize: res.Size_, Root: root}, err //nolint:gosec // not negative
}

// Signers is the set that signs the chain's next anchor, and the time of the node's newest one: what a new contract starts from.
//
// Errors: ErrNoAnchor when the node has no such set.
func (n Node) Signers(ctx context.Context) ([32]byte, error) {
	res, err := n.anchors.Pending(ctx, &anchorstypes.QueryPendingRequest{})
	if err != nil {
		return [32]byte{}, absent(err)
	}
	if len(res.SignersHash) == 0 {
		return [32]byte{}, fmt.Errorf("%w: %s", ErrNoAnchor, res.Reason)
	}
	return word(res.SignersHash)
}

func absent(err error) error {
	if status.Code(err) == codes.NotFound {
		return ErrNoAnchor
	}
	return err
}

func word(raw []byte) ([32]byte, error) {
	if len(raw) != 32 {
		return [32]byte{}, errShape
	}
	return [32]byte(raw), nil
}

func attested(p *anchorstypes.AttestedAnchor) (Attested, error) {
	a := anchor.Anchor{Nonce: p.Anchor.Nonce, Height: p.Anchor.Height, Time: p.Anchor.Time, TreeSize: p.Anchor.TreeSize}
	out := Attested{}
	var err error
	if a.Root, err = word(p.Anchor.Root); err != nil {
		return out, err
	}
	if a.NextValset, err = word(p.Anchor.NextValset); err != nil {
		return out, err
	}
	if out.Signers, err = word(p.SignersHash); err != nil {
		return out, err
	}
	out.Anchor = a
	for _, s := range p.Signatures {
		if len(s.Signature) != 65 {
			return out, errShape
		}
		out.Signatures = append(out.Signatures, anchor.Signed{Member: int(s.Member), Signature: anchor.Signature(s.Signature)})
	}
	return out, nil
}
