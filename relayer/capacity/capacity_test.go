// SPDX-License-Identifier: Apache-2.0

package capacity_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/grpc"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/capacity"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/probe"
	"github.com/gpucoord/gpucoord/relayer/store"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

type fixture struct {
	*receipttest.Maker
	t      *testing.T
	store  *store.Store
	params operatorstypes.Params
	host   operatorstypes.QueryHostResponse
	height uint64

	devices   []probe.Device
	simulated bool
	probeErr  error
	probed    int
	stater    *capacity.Stater
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		Maker: receipttest.New(), t: t, height: 45, params: operatorstypes.DefaultParams(), simulated: true,
		devices: []probe.Device{
			{Index: 0, UUID: "SIMULATED-0", Name: "NVIDIA H100 80GB HBM3", MemoryMiB: 81_920},
			{Index: 1, UUID: "SIMULATED-1", Name: "NVIDIA GeForce GT 710", MemoryMiB: 2_048},
			{Index: 2, UUID: "SIMULATED-2", Name: "NVIDIA H100 80GB HBM3", MemoryMiB: 81_920},
		},
	}
	key := f.HostKeyAddress()
	f.host.Host = operatorstypes.Host{Id: f.HostID[:], ReceiptKey: key[:]}
	var err error
	if f.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "relayer.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	f.stater = capacity.New(func(context.Context) (chain.Head, error) { return chain.Head{Height: f.height}, nil }, fakeOperators{f: f}, f.store,
		func() ([]probe.Device, bool, error) { f.probed++; return f.devices, f.simulated, f.probeErr },
		capacity.Config{HostID: f.HostID, Key: f.HostKey, Sender: "sender", Domain: f.Domain}, slog.New(slog.DiscardHandler))
	return f
}

type fakeOperators struct {
	operatorstypes.QueryClient
	f *fixture
}

func (o fakeOperators) Params(context.Context, *operatorstypes.QueryParamsRequest, ...grpc.CallOption) (*operatorstypes.QueryParamsResponse, error) {
	return &operatorstypes.QueryParamsResponse{Params: o.f.params}, nil
}

func (o fakeOperators) Host(context.Context, *operatorstypes.QueryHostRequest, ...grpc.CallOption) (*operatorstypes.QueryHostResponse, error) {
	return &o.f.host, nil
}

func (f *fixture) blockHash() [32]byte { return sha256.Sum256(fmt.Append(nil, f.height)) }

func (o fakeOperators) BlockHash(_ context.Context, _ *operatorstypes.QueryBlockHashRequest, _ ...grpc.CallOption) (*operatorstypes.QueryBlockHashResponse, error) {
	hash := o.f.blockHash()
	return &operatorstypes.QueryBlockHashResponse{BlockHash: operatorstypes.BlockHash{Height: o.f.height, Hash: hash[:]}}, nil
}

// committed says that the chain has the devices.
func (f *fixture) committed() { f.host.Gpus = []operatorstypes.GPU{{}} }

func (f *fixture) item(key string) store.Item {
	f.t.Helper()
	item, err := f.store.Item(f.t.Context(), key)
	if err != nil {
		f.t.Fatalf("%s: %v", key, err)
	}
	return item
}

func (f *fixture) key(what string, slot uint64) string {
	return fmt.Sprintf("%s/%x/%d", what, f.HostID, slot)
}

func (f *fixture) step() {
	f.t.Helper()
	if err := f.stater.Step(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) expectNothing() {
	f.t.Helper()
	if item, err := f.store.Next(f.t.Context(), 1<<40); !errors.Is(err, store.ErrNoItem) {
		f.t.Fatalf("outbox has %q (%v), want nothing", item.Key, err)
	}
}

func TestDevicesAreCommittedThenStated(t *testing.T) {
	f := newFixture(t)
	f.step()
	var commit operatorstypes.MsgCommitGPUs
	if err := proto.Unmarshal(f.item(f.key("commit", 2)).Msg, &commit); err != nil {
		t.Fatal(err)
	}
	if len(commit.Gpus) != 2 || commit.Gpus[1].Index != 2 || commit.Gpus[0].Class != "h100-80g" || commit.Sender != "sender" {
		t.Errorf("committed: %+v, want the two devices with a class", commit)
	}
	if _, err := f.store.Item(t.Context(), f.key("capacity", 2)); !errors.Is(err, store.ErrNoItem) {
		t.Error("stated before the chain has the devices")
	}
	f.committed()
	f.height++
	f.step()
	item := f.item(f.key("capacity", 2))
	var st operatorstypes.MsgSubmitCapacity
	if err := proto.Unmarshal(item.Msg, &st); err != nil {
		t.Fatal(err)
	}
	if err := operatorstypes.ValidateCommitments(st.Gpus); err != nil {
		t.Error(err)
	}
	if !st.Simulated || st.NonceHeight != f.height || item.Deadline != f.height+f.params.CapacityNonceBlocks {
		t.Errorf("statement is %+v until %d", st, item.Deadline)
	}
	// as the chain does: epoch 2 is blocks 41 to 60
	nonce := receipt.CapacityNonce(f.Domain.Salt(), 2, f.blockHash(), f.HostKeyAddress(), [33]byte(f.HostKey.PubKey().SerializeCompressed()))
	signer, err := receipt.RecoverAddress(receipt.CapacityStatement(nonce, true, operatorstypes.StatedGPUs(st.Gpus)), [65]byte(st.Signature))
	if err != nil || signer != f.HostKeyAddress() {
		t.Errorf("signed by %x (%v), want the host's key", signer, err)
	}
}

func TestOneStatementInASlot(t *testing.T) {
	f := newFixture(t)
	f.committed()
	for f.height = 41; f.height <= 60; f.height++ {
		f.step()
	}
	if f.probed != 1 {
		t.Errorf("probed %d times in one epoch, want once", f.probed)
	}
	f.host.Host.EvidenceHeight = 41
	f.height = 61
	f.step()
	f.item(f.key("capacity", 3))
}

func TestSlotsAreShorterThanTheLifeOfEvidence(t *testing.T) {
	f := newFixture(t)
	f.committed()
	f.params.EvidenceFullBlocks = 10 // half of it is a slot
	for f.height = 41; f.height <= 60; f.height++ {
		f.step()
		f.host.Host.EvidenceHeight = f.height - 1
	}
	for slot := uint64(8); slot < 12; slot++ {
		f.item(f.key("capacity", slot))
	}
}

func TestWithoutDriverNothingIsDeclared(t *testing.T) {
	f := newFixture(t)
	f.probeErr = fmt.Errorf("%w (NVML error 12)", probe.ErrNoDriver)
	f.devices = nil
	f.step()
	f.step()
	f.expectNothing()
	f.probeErr = probe.ErrNVML
	if err := f.stater.Step(t.Context()); !errors.Is(err, probe.ErrNVML) {
		t.Errorf("got %v, want the driver's fault", err)
	}
	f.expectNothing()
}

func TestWithoutClassNothingIsDeclared(t *testing.T) {
	f := newFixture(t)
	f.devices = f.devices[1:2]
	if err := f.stater.Step(t.Context()); !errors.Is(err, capacity.ErrNoClass) {
		t.Errorf("got %v, want ErrNoClass", err)
	}
	f.expectNothing()
}

func TestAnotherKeyOnTheChain(t *testing.T) {
	f := newFixture(t)
	f.committed()
	f.host.Host.ReceiptKey = make([]byte, 20)
	if err := f.stater.Step(t.Context()); !errors.Is(err, capacity.ErrWrongKey) {
		t.Errorf("got %v, want ErrWrongKey", err)
	}
	f.expectNothing()
}

func TestMoreDevicesThanTheChainTakes(t *testing.T) {
	f := newFixture(t)
	f.params.MaxGpus = 1
	f.step()
	var commit operatorstypes.MsgCommitGPUs
	if err := proto.Unmarshal(f.item(f.key("commit", 2)).Msg, &commit); err != nil || len(commit.Gpus) != 1 {
		t.Errorf("committed %d devices (%v), want 1", len(commit.Gpus), err)
	}
}

func TestStatementWaitsForANewerBlock(t *testing.T) {
	f := newFixture(t)
	f.committed()
	f.host.Host.EvidenceHeight = f.height
	f.step()
	f.expectNothing()
}
