// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"encoding/hex"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

var nodeHash = hex.EncodeToString(hash32("node"))

// link is a link of the node, signed by the owner key of that label.
func (f *fixture) link(operator, owner string, nonce uint64) *types.MsgLinkNode {
	address := receipt.KeyAddress(key(owner))
	msg := &types.MsgLinkNode{Operator: addr(operator), NodeHash: nodeHash, Owner: address[:], Nonce: nonce, Expiry: 1_800_000_600}
	signLink(msg, owner)
	return msg
}

// signLink signs the text that a wallet shows, written out here.
func signLink(msg *types.MsgLinkNode, owner string) {
	text := "gpucoord/link/v1\n" + chainID + "\n" + msg.Operator + "\n" + msg.NodeHash + "\n" +
		strconv.FormatUint(msg.Nonce, 10) + "\n" + strconv.FormatUint(msg.Expiry, 10)
	sig := receipt.Sign(key(owner), receipt.EIP191Digest(text))
	msg.Signature = sig[:]
}

func TestLinkNode(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.operator(t, "bob", 0)
	f.clearEvents()
	msg := f.link("alice", "owner", 1)
	require.NoError(t, msg.ValidateBasic())
	_, err := f.msgs.LinkNode(f.ctx, msg)
	require.NoError(t, err)
	link := types.NodeLink{NodeHash: nodeHash, Operator: addr("alice"), Owner: msg.Owner, Nonce: 1, LinkedHeight: 1}
	f.events(t, &types.EventNodeLinked{Link: link})
	resp, err := f.query.NodeLink(f.ctx, &types.QueryNodeLinkRequest{NodeHash: nodeHash, Owner: hex.EncodeToString(msg.Owner)})
	require.NoError(t, err)
	require.Equal(t, link, resp.Link)

	// The owner moves it; the consent to alice cannot be used to move it back.
	_, err = f.msgs.LinkNode(f.ctx, f.link("bob", "owner", 2))
	require.NoError(t, err)
	f.refused(t, types.ErrBadNonce, func(ctx context.Context) error {
		_, err := f.msgs.LinkNode(ctx, msg)
		return err
	})
	all, err := f.query.NodeLinks(f.ctx, &types.QueryNodeLinksRequest{})
	require.NoError(t, err)
	require.Len(t, all.Links, 1)
	require.Equal(t, addr("bob"), all.Links[0].Operator)
	f.end(t)
}

func TestLinkNodeRefusals(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.operator(t, "bob", 0)
	_, err := f.msgs.LinkNode(f.ctx, f.link("alice", "owner", 1))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*types.MsgLinkNode)
		want   error
	}{
		"another's nonce":      {func(m *types.MsgLinkNode) { *m = *f.link("bob", "thief", 2) }, types.ErrBadNonce},
		"consent for another":  {func(m *types.MsgLinkNode) { m.Operator = addr("alice") }, types.ErrBadLink},
		"not the owner's":      {func(m *types.MsgLinkNode) { signLink(m, "thief") }, types.ErrBadLink},
		"garbage":              {func(m *types.MsgLinkNode) { m.Signature = make([]byte, 65) }, types.ErrBadLink},
		"nonce skipped":        {func(m *types.MsgLinkNode) { *m = *f.link("bob", "owner", 3) }, types.ErrBadNonce},
		"nonce repeated":       {func(m *types.MsgLinkNode) { *m = *f.link("bob", "owner", 1) }, types.ErrBadNonce},
		"expired":              {func(m *types.MsgLinkNode) { m.Expiry = 1_800_000_006; signLink(m, "owner") }, types.ErrBadExpiry},
		"unknown operator":     {func(m *types.MsgLinkNode) { *m = *f.link("carol", "owner", 2) }, types.ErrUnknownOperator},
		"upper-case node hash": {func(m *types.MsgLinkNode) { m.NodeHash = "A" + m.NodeHash[1:] }, types.ErrInvalidRequest},
		"short owner":          {func(m *types.MsgLinkNode) { m.Owner = m.Owner[1:] }, types.ErrInvalidRequest},
		"nonce 0":              {func(m *types.MsgLinkNode) { m.Nonce = 0 }, types.ErrInvalidRequest},
		"short signature":      {func(m *types.MsgLinkNode) { m.Signature = m.Signature[1:] }, types.ErrInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			msg := f.link("bob", "owner", 2)
			c.change(msg)
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.LinkNode(ctx, msg)
				return err
			})
		})
	}
}

// A stranger links the node first; the owner is not shut out, and neither link touches the other.
func TestNodeSquatterShutsNobodyOut(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.operator(t, "bob", 0)
	squat, own := f.link("bob", "squatter", 1), f.link("alice", "owner", 1)
	for _, msg := range []*types.MsgLinkNode{squat, own} {
		_, err := f.msgs.LinkNode(f.ctx, msg)
		require.NoError(t, err)
	}
	for _, msg := range []*types.MsgLinkNode{squat, own} {
		resp, err := f.query.NodeLink(f.ctx, &types.QueryNodeLinkRequest{NodeHash: nodeHash, Owner: hex.EncodeToString(msg.Owner)})
		require.NoError(t, err)
		require.Equal(t, msg.Operator, resp.Link.Operator)
	}
	other := f.link("alice", "owner", 1)
	other.NodeHash = hex.EncodeToString(hash32("other node"))
	signLink(other, "owner")
	_, err := f.msgs.LinkNode(f.ctx, other)
	require.NoError(t, err)
	ofNode, err := f.query.NodeLinks(f.ctx, &types.QueryNodeLinksRequest{NodeHash: nodeHash})
	require.NoError(t, err)
	require.Len(t, ofNode.Links, 2)
	all, err := f.query.NodeLinks(f.ctx, &types.QueryNodeLinksRequest{})
	require.NoError(t, err)
	require.Len(t, all.Links, 3)
	f.end(t)
}
