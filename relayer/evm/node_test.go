// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	grpctypes "github.com/cosmos/cosmos-sdk/types/grpc"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/relayer/chain"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// fakeQueries answers with one anchor, its set of one member, and what the asker said.
type fakeQueries struct {
	anchorstypes.QueryClient
	anchor anchorstypes.AttestedAnchor
	err    error
	asked  *anchorstypes.QueryNextSubmittableRequest
}

func (f *fakeQueries) Origin(context.Context, *anchorstypes.QueryOriginRequest, ...grpc.CallOption) (*anchorstypes.QueryOriginResponse, error) {
	return &anchorstypes.QueryOriginResponse{Origin: make([]byte, 32)}, f.err
}

func (f *fakeQueries) LatestAnchor(context.Context, *anchorstypes.QueryLatestAnchorRequest, ...grpc.CallOption) (*anchorstypes.QueryLatestAnchorResponse, error) {
	return &anchorstypes.QueryLatestAnchorResponse{Anchor: f.anchor}, f.err
}

func (f *fakeQueries) Anchor(context.Context, *anchorstypes.QueryAnchorRequest, ...grpc.CallOption) (*anchorstypes.QueryAnchorResponse, error) {
	return &anchorstypes.QueryAnchorResponse{Anchor: f.anchor}, f.err
}

func (f *fakeQueries) NextSubmittable(
	_ context.Context, req *anchorstypes.QueryNextSubmittableRequest, _ ...grpc.CallOption,
) (*anchorstypes.QueryNextSubmittableResponse, error) {
	f.asked = req
	return &anchorstypes.QueryNextSubmittableResponse{Anchor: f.anchor}, f.err
}

func (f *fakeQueries) Valset(context.Context, *anchorstypes.QueryValsetRequest, ...grpc.CallOption) (*anchorstypes.QueryValsetResponse, error) {
	return &anchorstypes.QueryValsetResponse{Valset: anchorstypes.Valset{Members: []anchorstypes.Member{{Address: make([]byte, 20), Power: 6}}}}, f.err
}

func (f *fakeQueries) Consistency(context.Context, *anchorstypes.QueryConsistencyRequest, ...grpc.CallOption) (*anchorstypes.QueryConsistencyResponse, error) {
	return &anchorstypes.QueryConsistencyResponse{Proof: [][]byte{make([]byte, 32), {31: 9}}}, f.err
}

func (f *fakeQueries) Log(ctx context.Context, _ *anchorstypes.QueryLogRequest, _ ...grpc.CallOption) (*anchorstypes.QueryLogResponse, error) {
	if sent, _ := metadata.FromOutgoingContext(ctx); len(sent.Get(grpctypes.GRPCBlockHeightHeader)) != 1 {
		return nil, errors.New("not asked at a height")
	}
	return &anchorstypes.QueryLogResponse{Size_: 61, Root: bytes32(8)}, f.err
}

func bytes32(first byte) []byte { return append([]byte{first}, make([]byte, 31)...) }

func newFakeNode() (*fakeQueries, Node) {
	f := &fakeQueries{anchor: anchorstypes.AttestedAnchor{
		Anchor:      anchorstypes.Anchor{Nonce: 3, Height: 40, Time: 50, TreeSize: 60, Root: bytes32(1), NextValset: bytes32(2)},
		SignersHash: bytes32(4), Signatures: []anchorstypes.AnchorSignature{{Member: 7, Signature: append(bytes32(5), append(bytes32(6), 27)...)}},
	}}
	return f, Node{anchors: f, head: func(context.Context) (chain.Head, error) { return chain.Head{Height: 1}, nil }}
}

func TestNodeReadsAnchors(t *testing.T) {
	f, n := newFakeNode()
	got, err := n.Next(t.Context(), [32]byte{0xab}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := (anchor.Anchor{Nonce: 3, Height: 40, Time: 50, TreeSize: 60, Root: [32]byte{1}, NextValset: [32]byte{2}}); got.Anchor != want {
		t.Errorf("anchor is %+v, want %+v", got.Anchor, want)
	}
	if s := got.Signatures; got.Signers != ([32]byte{4}) || len(s) != 1 || s[0].Member != 7 || s[0].Signature != (anchor.Signature{0: 5, 32: 6, 64: 27}) {
		t.Errorf("signers %x, signatures %v", got.Signers, s)
	}
	if f.asked.Nonce != 2 || f.asked.Valset != "ab"+hex.EncodeToString(make([]byte, 31)) {
		t.Errorf("asked for %+v", f.asked)
	}
	set, err := n.Valset(t.Context(), [32]byte{4})
	if err != nil || len(set) != 1 || set[0].Power != 6 {
		t.Errorf("set is %v, %v", set, err)
	}
	if path, err := n.Consistency(t.Context(), 1, 2); err != nil || len(path) != 2 || path[1][31] != 9 {
		t.Errorf("proof is %v, %v", path, err)
	}
}

func TestNodeTellsAbsentFromBroken(t *testing.T) {
	f, n := newFakeNode()
	for _, c := range []struct{ answer, want error }{
		{status.Error(codes.NotFound, "none"), ErrNoAnchor},
		{status.Error(codes.Unavailable, "gone"), nil},
	} {
		f.err = c.answer
		_, latest := n.Latest(t.Context())
		_, at := n.At(t.Context(), 1)
		_, next := n.Next(t.Context(), [32]byte{}, 1)
		_, set := n.Valset(t.Context(), [32]byte{})
		for _, err := range []error{latest, at, next, set} {
			if err == nil || errors.Is(err, ErrNoAnchor) != (c.want != nil) {
				t.Errorf("answer %v: got %v", c.answer, err)
			}
		}
	}
}

func TestNodeRefusesFieldsOfWrongLength(t *testing.T) {
	for name, spoil := range map[string]func(a *anchorstypes.AttestedAnchor){
		"root":      func(a *anchorstypes.AttestedAnchor) { a.Anchor.Root = nil },
		"next set":  func(a *anchorstypes.AttestedAnchor) { a.Anchor.NextValset = make([]byte, 33) },
		"signers":   func(a *anchorstypes.AttestedAnchor) { a.SignersHash = make([]byte, 31) },
		"signature": func(a *anchorstypes.AttestedAnchor) { a.Signatures[0].Signature = make([]byte, 64) },
	} {
		f, n := newFakeNode()
		spoil(&f.anchor)
		if _, err := n.Latest(t.Context()); !errors.Is(err, errShape) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNodeOfAnotherChainIsRefused(t *testing.T) {
	_, n := newFakeNode()
	n.head = func(context.Context) (chain.Head, error) { return chain.Head{}, chain.ErrWrongChain }
	if _, err := n.Origin(t.Context()); !errors.Is(err, chain.ErrWrongChain) {
		t.Errorf("got %v", err)
	}
}

func TestNodeReadsTheNewestBlockAndTheLogAtIt(t *testing.T) {
	_, n := newFakeNode()
	n.head = func(context.Context) (chain.Head, error) { return chain.Head{Height: 44, Time: time.Unix(55, 9)}, nil }
	got, err := n.Newest(t.Context())
	if want := (Newest{Height: 44, Time: 55, TreeSize: 61, Root: [32]byte{8}}); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
}
