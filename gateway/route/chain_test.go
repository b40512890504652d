// SPDX-License-Identifier: Apache-2.0

package route_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// fakeChain answers as a node does, one host a page.
type fakeChain struct {
	hosts    []operatorstypes.Host
	jailed   string
	endless  bool
	standErr error
}

func (f *fakeChain) Hosts(_ context.Context, in *operatorstypes.QueryHostsRequest, _ ...grpc.CallOption) (*operatorstypes.QueryHostsResponse, error) {
	i := 0
	if key := in.Pagination.Key; len(key) > 0 {
		i = int(key[0])
	}
	res := &operatorstypes.QueryHostsResponse{Hosts: f.hosts[i : i+1], Pagination: &query.PageResponse{}}
	if f.endless {
		res.Pagination.NextKey = []byte{0}
	} else if i+1 < len(f.hosts) {
		res.Pagination.NextKey = []byte{byte(i + 1)}
	}
	return res, nil
}

func (f *fakeChain) Operator(
	_ context.Context, in *operatorstypes.QueryOperatorRequest, _ ...grpc.CallOption,
) (*operatorstypes.QueryOperatorResponse, error) {
	return &operatorstypes.QueryOperatorResponse{
		Operator: operatorstypes.Operator{Address: in.Address, Region: "region of " + in.Address}, MayWork: in.Address != f.jailed,
	}, nil
}

func (f *fakeChain) CurrentEpoch(
	context.Context, *operatorstypes.QueryCurrentEpochRequest, ...grpc.CallOption,
) (*operatorstypes.QueryCurrentEpochResponse, error) {
	return &operatorstypes.QueryCurrentEpochResponse{Grid: operatorstypes.EpochGrid{Epoch: 12}}, nil
}

func (f *fakeChain) standing(
	_ context.Context, in *rewardstypes.QueryStandingRequest, _ ...grpc.CallOption,
) (*rewardstypes.QueryStandingResponse, error) {
	if in.Operator == f.jailed {
		return nil, errors.New("asked for an operator that may not work")
	}
	return &rewardstypes.QueryStandingResponse{ReputationPpm: 700_000, Ucs: 42}, f.standErr
}

func (f *fakeChain) read(t *testing.T) (route.Snapshot, error) {
	t.Helper()
	head := func(context.Context) (chain.Head, error) { return chain.Head{Height: 5}, nil }
	return route.NewChainOf(f, nil, f.standing, head).Snapshot(t.Context())
}

func registered(n byte, operator, endpoint string) operatorstypes.Host {
	id, key := [32]byte{n}, [20]byte{n}
	return operatorstypes.Host{
		Id: id[:], ReceiptKey: key[:], Operator: operator, Endpoint: endpoint, Simulated: n == 2,
		Models: []*operatorstypes.HostModel{{
			ModelId: base.ModelID[:], ServedName: "base", PriceInUusdc: 1, PriceOutUusdc: 2,
			AdapterIds: [][]byte{adapter.AdapterID[:], {1}}, AdapterNames: []string{"ada", "short id"},
		}},
	}
}

func TestSnapshotHoldsTheHostsThatMayWork(t *testing.T) {
	f := &fakeChain{jailed: "jailed"}
	for i, h := range [][2]string{
		{"a", "https://one.example/"},
		{"b", "https://two.example"},
		{"jailed", "https://three.example"},
		{"a", "ftp://four.example"},
		{"a", "https://five.example"},
		{"a", "https://six.example"},
		{"a", "https://seven.example"},
	} {
		f.hosts = append(f.hosts, registered(byte(i+1), h[0], h[1]))
	}
	f.hosts[4].ReceiptKey = []byte{1}
	f.hosts[5].TlsSpkiSha256 = []byte{1}
	f.hosts[6].Models = nil
	got, err := f.read(t)
	if err != nil {
		t.Fatal(err)
	}
	offers := []route.Offer{
		{Asset: base, Name: "base", PriceInUusdc: 1, PriceOutUusdc: 2}, {Asset: adapter, Name: "ada", PriceInUusdc: 1, PriceOutUusdc: 2},
	}
	want := route.Snapshot{Epoch: 12, Hosts: []route.Host{
		{ID: [32]byte{1}, Key: [20]byte{1}, Operator: "a", Region: "region of a", Endpoint: "https://one.example", ReputationPPM: 700_000, UCS: 42, Offers: offers},
		{
			ID: [32]byte{2}, Key: [20]byte{2}, Operator: "b", Region: "region of b", Endpoint: "https://two.example", ReputationPPM: 700_000, UCS: 42,
			Simulated: true, Offers: offers,
		},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}

func TestSnapshotIsWholeOrNone(t *testing.T) {
	away := errors.New("node is away")
	f := &fakeChain{hosts: []operatorstypes.Host{registered(1, "a", "https://one.example")}, standErr: away}
	if _, err := f.read(t); !errors.Is(err, away) {
		t.Fatalf("got %v", err)
	}
	f = &fakeChain{hosts: []operatorstypes.Host{registered(1, "a", "https://one.example")}, endless: true}
	if _, err := f.read(t); !errors.Is(err, route.ErrTooManyHosts) {
		t.Fatalf("got %v", err)
	}
}

func TestManyOperatorsAreRead(t *testing.T) {
	f := &fakeChain{}
	for n := range 100 {
		f.hosts = append(f.hosts, registered(byte(n+1), fmt.Sprint("operator ", n), "https://one.example"))
	}
	if got, err := f.read(t); err != nil || len(got.Hosts) != 100 {
		t.Fatalf("got %d, %v", len(got.Hosts), err)
	}
}
