// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"context"
	"encoding/hex"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/store"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// pageLimit is the most entries that the chain returns at a time.
const pageLimit = 200

// Queries are the chain's answers that a batch needs.
type Queries struct {
	Operators operatorstypes.QueryClient
	Royalties royaltiestypes.QueryClient
	Receipts  receiptstypes.QueryClient
}

// claim names what is to be claimed.
type claim struct {
	hostID   [32]byte
	hostKey  [20]byte
	epoch    uint64
	receipts []store.Receipt
	schedule epoch.Schedule
	// chainTime is the newest block's, in Unix seconds.
	chainTime uint64
	// tokensUsed is what other keys of the host claim in the epoch, amountUnsent what batches claim that no block holds yet.
	tokensUsed, amountUnsent uint64
}

// rejectAll turns all receipts down.
func (c *claim) rejectAll(reason string) []store.Rejection {
	out := make([]store.Rejection, len(c.receipts))
	for i := range c.receipts {
		r := &c.receipts[i]
		out[i] = store.Rejection{HostID: c.hostID, Bytes: r.SR1, Seq: r.Seq, Epoch: c.epoch, Stage: store.StageBatch, Reason: reason}
	}
	return out
}

// gather asks the chain, at the height of ctx, for everything that decides on a claim.
func (b *Batcher) gather(ctx context.Context, c *claim) (*Facts, error) {
	f := &Facts{
		HostID: c.hostID, HostKey: c.hostKey, Epoch: c.epoch, IssuedBefore: c.chainTime,
		Settlements: make(map[Payment]Settlement), Assets: make(map[[32]byte]*royaltiestypes.Asset),
	}
	for _, read := range []func(context.Context, *claim, *Facts) error{b.readTimes, b.readKey, b.readLimits, b.readWatermarks, b.readRecords} {
		if err := read(ctx, c, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// jailed reports whether the operator was jailed for the whole epoch, whose submit window is given: the chain takes no batch of it then.
func (b *Batcher) jailed(ctx context.Context, c *claim, submit epoch.Window) (bool, error) {
	res, err := b.q.Operators.Operator(ctx, &operatorstypes.QueryOperatorRequest{Address: b.cfg.Operator})
	if err != nil {
		return false, fmt.Errorf("read operator: %w", err)
	}
	first, err := c.schedule.First(c.epoch)
	if err != nil {
		return false, err
	}
	return res.Operator.JailedDuring(first, submit.First-1), nil
}

func (b *Batcher) readTimes(ctx context.Context, c *claim, f *Facts) error {
	for e, into := range map[uint64]*uint64{c.epoch: &f.EpochStart, c.epoch + 1: &f.NextEpochStart} {
		res, err := b.q.Operators.Epoch(ctx, &operatorstypes.QueryEpochRequest{Epoch: e})
		if err != nil {
			return fmt.Errorf("read epoch %d: %w", e, err)
		}
		if res.Grid.StartTime == 0 {
			return fmt.Errorf("epoch %d: the chain does not know when it began", e)
		}
		*into = res.Grid.StartTime
	}
	return nil
}

func (b *Batcher) readKey(ctx context.Context, c *claim, f *Facts) error {
	res, err := b.q.Operators.HostKey(ctx, &operatorstypes.QueryHostKeyRequest{Address: hex.EncodeToString(c.hostKey[:])})
	if err != nil {
		return fmt.Errorf("read receipt key: %w", err)
	}
	f.KeyRegisteredAt, f.KeyExpiresAt = res.Key.RegisteredAt, res.Key.ExpiresAt
	return nil
}

func (b *Batcher) readLimits(ctx context.Context, c *claim, f *Facts) error {
	// The parameters that price an epoch are pinned for it.
	pinned, err := b.q.Receipts.Epoch(ctx, &receiptstypes.QueryEpochRequest{Epoch: c.epoch})
	if err != nil {
		return fmt.Errorf("read the parameters of epoch %d: %w", c.epoch, err)
	}
	params := &pinned.State.Params
	f.MaxGroups, f.MinJobAmountUusdc = int(params.MaxGroups), params.MinJobAmountUusdc
	host, err := b.q.Operators.Host(ctx, &operatorstypes.QueryHostRequest{HostId: hex.EncodeToString(c.hostID[:])})
	if err != nil {
		return fmt.Errorf("read host: %w", err)
	}
	f.TokensLeft = host.TokenCeiling - min(host.TokenCeiling, c.tokensUsed)
	claims, err := b.q.Receipts.OpenClaims(ctx, &receiptstypes.QueryOpenClaimsRequest{Operator: b.cfg.Operator})
	if err != nil {
		return fmt.Errorf("read open claims: %w", err)
	}
	claimed, ok := u128.Add(claims.OpenClaims.AmountUusdc, c.amountUnsent)
	if most := claims.CoverUusdc / max(1, params.BondClaimMultiple); ok {
		f.ClaimableUusdc = most - min(most, claimed)
	}
	return nil
}

func (b *Batcher) readWatermarks(ctx context.Context, c *claim, f *Facts) error {
	f.Watermarks = make(map[[20]byte]uint64)
	page := &query.PageRequest{Limit: pageLimit}
	for {
		res, err := b.q.Receipts.Watermarks(ctx, &receiptstypes.QueryWatermarksRequest{HostKey: hex.EncodeToString(c.hostKey[:]), Pagination: page})
		if err != nil {
			return fmt.Errorf("read watermarks: %w", err)
		}
		for i := range res.Watermarks {
			settler, err := chain.ParseBech32(res.Watermarks[i].Settler)
			if err != nil {
				return err
			}
			f.Watermarks[settler] = res.Watermarks[i].Seq
		}
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return nil
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: pageLimit}
	}
}

// readRecords resolves the payer, the model and the adapter of every record, each once.
func (b *Batcher) readRecords(ctx context.Context, c *claim, f *Facts) error {
	payers := newPayers(b.q.Receipts, b.cfg.Operator)
	for i := range c.receipts {
		record, err := receipt.Decode(c.receipts[i].SR1)
		if err != nil {
			return fmt.Errorf("stored receipt %d: %w", c.receipts[i].Seq, err)
		}
		payment := Payment{record.Auth.Payer, record.Auth.IssuedAt}
		if _, known := f.Settlements[payment]; !known {
			if f.Settlements[payment], err = payers.settlement(ctx, payment); err != nil {
				return err
			}
		}
		for _, id := range [...][32]byte{record.Auth.ModelID, record.Auth.AdapterID} {
			if err := b.readAsset(ctx, c, f, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// readAsset reads an asset that was registered by the end of the epoch.
func (b *Batcher) readAsset(ctx context.Context, c *claim, f *Facts, id [32]byte) error {
	if _, known := f.Assets[id]; known || id == ([32]byte{}) {
		return nil
	}
	f.Assets[id] = nil
	res, err := b.q.Royalties.Asset(ctx, &royaltiestypes.QueryAssetRequest{AssetId: hex.EncodeToString(id[:])})
	if status.Code(err) == codes.NotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read asset %x: %w", id, err)
	}
	registered, err := c.schedule.Of(res.Asset.RegisteredHeight)
	if err != nil && res.Asset.RegisteredHeight != 0 { // 0: in genesis
		return fmt.Errorf("asset %x: %w", id, err)
	}
	if registered <= c.epoch {
		f.Assets[id] = &res.Asset
	}
	return nil
}
