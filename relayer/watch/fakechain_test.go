// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/watch"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// fakeChain has batches and judges what is filed against them with domain/fraud.
type fakeChain struct {
	t       *testing.T
	m       *receipttest.Maker
	height  uint64
	batches []*receiptstypes.Batch
	reports map[uint64][]byte // commitments
	made    map[uint64]uint64 // heights
	demands []receiptstypes.Demand
	txs     map[string]chain.TxResult
	sent    map[string]int // messages in blocks, by type
	named   []uint64       // of the last challenge
	gateway *receiptstypes.GatewayKey
}

func schedule() epoch.Schedule {
	params := operatorstypes.DefaultParams()
	return params.Schedule.Domain()
}

func newFakeChain(t *testing.T, m *receipttest.Maker) *fakeChain {
	t.Helper()
	windows, err := schedule().Windows(receipttest.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeChain{
		t: t, m: m, height: windows.Open.First, reports: make(map[uint64][]byte), made: make(map[uint64]uint64),
		txs: make(map[string]chain.TxResult), sent: make(map[string]int),
	}
}

func (c *fakeChain) add(b *receiptstypes.Batch) {
	b.Id = uint64(len(c.batches)) + 1
	c.batches = append(c.batches, b)
}

func (c *fakeChain) Head(context.Context) (chain.Head, error) {
	return chain.Head{Height: c.height, Time: time.Unix(receipttest.Start, 0)}, nil
}

func (c *fakeChain) Tx(_ context.Context, hash string) (chain.TxResult, error) {
	if res, ok := c.txs[hash]; ok {
		return res, nil
	}
	return chain.TxResult{}, chain.ErrTxNotFound
}

// block executes everything that waits in the outbox, as the submitter and the chain would.
func (c *fakeChain) block(outbox *store.Store) {
	c.t.Helper()
	c.height++
	for {
		item, err := outbox.Next(c.t.Context(), c.height)
		if errors.Is(err, store.ErrNoItem) {
			return
		}
		if err != nil {
			c.t.Fatal(err)
		}
		hash := fmt.Sprintf("TX%d", item.ID)
		if err := outbox.MarkSending(c.t.Context(), item.ID, store.Signed{Tx: []byte{1}, Hash: hash}); err != nil {
			c.t.Fatal(err)
		}
		event, err := c.deliver(item)
		if err != nil {
			c.t.Logf("height %d, %s: %v", c.height, item.Key, err)
			if err := outbox.MarkFailed(c.t.Context(), item.ID, c.height, 1, "test", err.Error()); err != nil {
				c.t.Fatal(err)
			}
			continue
		}
		c.sent[item.TypeURL]++
		c.txs[hash] = chain.TxResult{Hash: hash, Height: c.height, Events: []sdk.StringEvent{event}}
		if err := outbox.MarkDone(c.t.Context(), item.ID, c.height); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *fakeChain) deliver(item store.Item) (sdk.StringEvent, error) {
	switch item.TypeURL {
	case sdk.MsgTypeURL(&operatorstypes.MsgCommitReport{}):
		var msg operatorstypes.MsgCommitReport
		if err := msg.Unmarshal(item.Msg); err != nil {
			return sdk.StringEvent{}, err
		}
		id := uint64(len(c.reports)) + 1
		c.reports[id], c.made[id] = msg.Commitment, c.height
		return sdk.StringEvent{Type: "gpucoord.operators.v1.EventReportCommitted", Attributes: []sdk.Attribute{
			{Key: "report", Value: fmt.Sprintf(`{"id":"%d","reporter":"x"}`, id)},
		}}, nil
	case sdk.MsgTypeURL(&receiptstypes.MsgChallenge{}):
		var msg receiptstypes.MsgChallenge
		if err := errors.Join(msg.Unmarshal(item.Msg), msg.ValidateBasic()); err != nil {
			return sdk.StringEvent{}, err
		}
		return c.challenge(&msg)
	default:
		var msg receiptstypes.MsgDemandData
		if err := msg.Unmarshal(item.Msg); err != nil {
			return sdk.StringEvent{}, err
		}
		c.demands = append(c.demands, receiptstypes.Demand{
			Id: uint64(len(c.demands)) + 1, BatchId: msg.BatchId, Group: msg.Group, Index: msg.Index, Reporter: msg.Reporter,
		})
		return sdk.StringEvent{}, nil
	}
}

func (c *fakeChain) challenge(msg *receiptstypes.MsgChallenge) (sdk.StringEvent, error) {
	want := operatorstypes.ReportCommitment(c.m.Domain.Salt(), reporter, [32]byte(msg.Salt), sha256.Sum256(msg.Evidence))
	if string(c.reports[msg.ReportId]) != string(want[:]) || c.made[msg.ReportId] >= c.height {
		return sdk.StringEvent{}, errors.New("no such report, or of this very block")
	}
	batches, err := c.judge(msg)
	if err != nil {
		c.t.Errorf("the chain refuses the evidence: %v", err)
		return sdk.StringEvent{Type: "gpucoord.receipts.v1.EventChallengeRefused"}, nil
	}
	c.named = batches
	for _, id := range batches {
		c.batches[id-1].Status = receiptstypes.BatchStatus_BATCH_STATUS_VOID
	}
	return sdk.StringEvent{Type: "gpucoord.receipts.v1.EventChallengeProven"}, nil
}

// judge returns the batches that evidence voids.
func (c *fakeChain) judge(msg *receiptstypes.MsgChallenge) ([]uint64, error) {
	group := func(id uint64, position uint32) *sumtree.Group {
		groups, err := c.batches[id-1].DomainGroups()
		if err != nil {
			c.t.Fatal(err)
		}
		return &groups[position]
	}
	checker := receipt.Checker{Domain: c.m.Domain}
	switch msg.Kind {
	case receiptstypes.ChallengeKind_CHALLENGE_KIND_REPEAT:
		e, err := fraud.DecodeRepeat(msg.Evidence)
		if err != nil {
			return nil, err
		}
		return []uint64{e.A.BatchID, e.B.BatchID}, e.Check(group(e.A.BatchID, e.A.Group), group(e.B.BatchID, e.B.Group))
	case receiptstypes.ChallengeKind_CHALLENGE_KIND_EQUIVOCATION:
		e, err := fraud.DecodeEquivocation(msg.Evidence)
		if err != nil {
			return nil, err
		}
		a, _, conflict, err := e.Check(checker)
		if err == nil && conflict == fraud.SamePayment && a.Auth.Payer == customer && c.gateway == nil {
			err = fraud.ErrUnrelated
		}
		return msg.Batches, err
	case receiptstypes.ChallengeKind_CHALLENGE_KIND_RECORD:
		e, err := fraud.DecodeRecord(msg.Evidence)
		if err != nil {
			return nil, err
		}
		g := group(e.Placed.BatchID, e.Placed.Group)
		record, fault, err := e.Check(g, checker)
		if err == nil && fault == nil && c.context(g).Check(&record) == nil && record.AttestRef != staleRef {
			err = errors.New("record keeps all rules")
		}
		return []uint64{e.Placed.BatchID}, err
	case receiptstypes.ChallengeKind_CHALLENGE_KIND_NODE:
		e, err := fraud.DecodeNode(msg.Evidence)
		if err != nil {
			return nil, err
		}
		return []uint64{e.BatchID}, e.Check(group(e.BatchID, e.Group))
	default:
		e, err := fraud.DecodeOrder(msg.Evidence)
		if err != nil {
			return nil, err
		}
		return []uint64{e.A.BatchID}, e.Check(group(e.A.BatchID, e.A.Group))
	}
}

// context is what the chain knows of a group of epoch 7.
func (c *fakeChain) context(g *sumtree.Group) *receipt.Context {
	want, gateway := operator, false
	if c.gateway != nil {
		want, gateway = [20]byte(gatewaySettler), true
	}
	return &receipt.Context{
		HostKeyAddress: g.Operator, HostID: g.HostID, Epoch: receipttest.Epoch, ModelID: g.ModelID, AdapterID: g.AdapterID,
		FirstSeq: g.FirstSeq, LastSeq: g.LastSeq, EpochStart: receipttest.Start, NextEpochStart: receipttest.Start + 100,
		KeyRegisteredAt: 1, Settler: g.Settler, WantSettler: want, SettlerIsGateway: gateway,
	}
}

type fakeOperators struct {
	operatorstypes.QueryClient
	c *fakeChain
}

type fakeReceipts struct {
	receiptstypes.QueryClient
	c *fakeChain
}

func (f fakeOperators) Params(context.Context, *operatorstypes.QueryParamsRequest, ...grpc.CallOption) (*operatorstypes.QueryParamsResponse, error) {
	return &operatorstypes.QueryParamsResponse{Params: operatorstypes.DefaultParams()}, nil
}

func (f fakeOperators) Epoch(_ context.Context, req *operatorstypes.QueryEpochRequest, _ ...grpc.CallOption) (*operatorstypes.QueryEpochResponse, error) {
	return &operatorstypes.QueryEpochResponse{Grid: operatorstypes.EpochGrid{
		Epoch: req.Epoch, StartTime: receipttest.Start + 100*req.Epoch - 100*receipttest.Epoch,
	}}, nil
}

// customer is a payer whose key is no host's.
var customer = receipt.KeyAddress(receipttest.Key("payer"))

// HostKey says that every key but the customer's is one of the operator's.
func (f fakeOperators) HostKey(_ context.Context, req *operatorstypes.QueryHostKeyRequest, _ ...grpc.CallOption) (*operatorstypes.QueryHostKeyResponse, error) {
	if req.Address == hex.EncodeToString(customer[:]) {
		return nil, status.Error(codes.NotFound, "no such receipt key")
	}
	return &operatorstypes.QueryHostKeyResponse{Key: operatorstypes.HostKey{
		RegisteredAt: 1, HostId: f.c.m.HostID[:], Operator: chain.Bech32(operator[:]),
	}}, nil
}

func (f fakeOperators) Attestations(context.Context, *operatorstypes.QueryAttestationsRequest, ...grpc.CallOption) (*operatorstypes.QueryAttestationsResponse, error) {
	return &operatorstypes.QueryAttestationsResponse{Attestations: []operatorstypes.Attestation{
		{Ref: staleRef[:], HostId: f.c.m.HostID[:], AcceptedClaims: 1, NotAfter: receipttest.Start + 9},
	}}, nil
}

func (f fakeReceipts) Gateways(context.Context, *receiptstypes.QueryGatewaysRequest, ...grpc.CallOption) (*receiptstypes.QueryGatewaysResponse, error) {
	if f.c.gateway == nil {
		return &receiptstypes.QueryGatewaysResponse{}, nil
	}
	return &receiptstypes.QueryGatewaysResponse{Gateways: []receiptstypes.Gateway{{Address: f.c.gateway.Gateway}}}, nil
}

func (f fakeReceipts) Gateway(context.Context, *receiptstypes.QueryGatewayRequest, ...grpc.CallOption) (*receiptstypes.QueryGatewayResponse, error) {
	return &receiptstypes.QueryGatewayResponse{Keys: []receiptstypes.GatewayKey{*f.c.gateway}}, nil
}

func (f fakeReceipts) Batch(_ context.Context, req *receiptstypes.QueryBatchRequest, _ ...grpc.CallOption) (*receiptstypes.QueryBatchResponse, error) {
	if req.BatchId == 0 || req.BatchId > uint64(len(f.c.batches)) {
		return nil, status.Error(codes.NotFound, "no such batch")
	}
	return &receiptstypes.QueryBatchResponse{Batch: *f.c.batches[req.BatchId-1]}, nil
}

func (f fakeReceipts) Batches(_ context.Context, req *receiptstypes.QueryBatchesRequest, _ ...grpc.CallOption) (*receiptstypes.QueryBatchesResponse, error) {
	res := &receiptstypes.QueryBatchesResponse{Pagination: &query.PageResponse{}}
	for _, b := range f.c.batches {
		if b.Id >= binary.BigEndian.Uint64(req.Pagination.Key) {
			if len(res.Batches) == 2 { // small pages, so that there are several
				res.Pagination.NextKey = binary.BigEndian.AppendUint64(nil, b.Id)
				break
			}
			res.Batches = append(res.Batches, *b)
		}
	}
	return res, nil
}

func (f fakeReceipts) Demands(_ context.Context, req *receiptstypes.QueryDemandsRequest, _ ...grpc.CallOption) (*receiptstypes.QueryDemandsResponse, error) {
	res := &receiptstypes.QueryDemandsResponse{}
	for _, d := range f.c.demands {
		if req.BatchId == 0 || d.BatchId == req.BatchId {
			res.Demands = append(res.Demands, d)
		}
	}
	return res, nil
}

func (c *fakeChain) queries() watch.Queries {
	return watch.Queries{Operators: fakeOperators{c: c}, Receipts: fakeReceipts{c: c}}
}
