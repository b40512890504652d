// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards/types"
)

var errFake = errors.New("the fake says no")

// bank is a ledger of one denom by address.
type bank struct{ balances map[string]uint64 }

func (b *bank) move(from, to []byte, amount sdk.Coins) error {
	n := amount.AmountOf(types.SettlementDenom).Uint64()
	if b.balances[string(from)] < n {
		return sdkerrors.ErrInsufficientFunds
	}
	b.balances[string(from)] -= n
	b.balances[string(to)] += n
	return nil
}

func (b *bank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amount sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(from), authtypes.NewModuleAddress(to), amount)
}

func (b *bank) SendCoinsFromModuleToAccount(_ context.Context, from string, to sdk.AccAddress, amount sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(from), to, amount)
}

func (b *bank) SendCoinsFromAccountToModule(_ context.Context, from sdk.AccAddress, to string, amount sdk.Coins) error {
	return b.move(from, authtypes.NewModuleAddress(to), amount)
}

func (b *bank) GetBalance(_ context.Context, account sdk.AccAddress, _ string) sdk.Coin {
	return sdk.NewInt64Coin(types.SettlementDenom, int64(b.balances[string(account)]))
}

// module is a module account's balance.
func (b *bank) module(name string) uint64 {
	return b.balances[string(authtypes.NewModuleAddress(name))]
}

// ledgerEpoch is the usage of one epoch by operator.
type ledgerEpoch struct {
	ready   bool
	closed  bool
	pool    uint64
	entries map[string][]receiptstypes.UsageEntry
}

// receipts is a usage ledger by epoch. Its takes are 10 % of every amount, 60 % of which go to the pool.
type receipts struct {
	params  receiptstypes.Params
	first   uint64 // the first epoch that began
	epochs  map[uint64]*ledgerEpoch
	failing map[string]bool // operators whose entries cannot be read
	pages   []uint32        // the limits that pages were asked with
	repeats bool            // pages start at the first operator, whatever they come after
}

func newReceipts() *receipts {
	params := receiptstypes.Params{TakeBps: 1_000, PoolBps: 6_000, ProbersBps: 500, AlephBps: 1_500, InsuranceBps: 2_000}
	return &receipts{params: params, epochs: map[uint64]*ledgerEpoch{}, failing: map[string]bool{}}
}

func (r *receipts) epoch(e uint64) *ledgerEpoch {
	if r.epochs[e] == nil {
		r.epochs[e] = &ledgerEpoch{entries: map[string][]receiptstypes.UsageEntry{}}
	}
	return r.epochs[e]
}

func (r *receipts) Params(context.Context) (receiptstypes.Params, error) { return r.params, nil }

func (r *receipts) EpochReady(_ context.Context, e uint64) (bool, error) {
	if e < r.first {
		return false, receiptstypes.ErrUnknownEpoch
	}
	return r.epoch(e).ready, nil
}

func (r *receipts) CloseEpoch(_ context.Context, e uint64) (receiptstypes.EpochState, error) {
	if r.epoch(e).closed || !r.epoch(e).ready {
		return receiptstypes.EpochState{}, errFake
	}
	r.epoch(e).closed = true
	return receiptstypes.EpochState{Epoch: e, Params: r.params, Closed: true, PoolUusdc: r.epoch(e).pool}, nil
}

func (r *receipts) OperatorsWithUsage(_ context.Context, e uint64, after []byte, limit uint32) ([][]byte, error) {
	r.pages = append(r.pages, limit)
	var page [][]byte
	for operator := range r.epoch(e).entries {
		if r.repeats || bytes.Compare([]byte(operator), after) > 0 {
			page = append(page, []byte(operator))
		}
	}
	slices.SortFunc(page, bytes.Compare)
	return page[:min(len(page), int(limit))], nil
}

func (r *receipts) UsageEntries(_ context.Context, e uint64, operator []byte) ([]receiptstypes.UsageEntry, error) {
	if r.failing[string(operator)] {
		return nil, errFake
	}
	return r.epoch(e).entries[string(operator)], nil
}

func (r *receipts) SuccessCounts(
	_ context.Context, operator, settler []byte, class receiptstypes.Class, from, to uint64,
) (ok, fail uint64, err error) {
	for e := from; e <= to; e++ {
		for _, entry := range r.epoch(e).entries[string(operator)] {
			if bytes.Equal(entry.Settler[:], settler) && entry.Class == class {
				ok, fail = ok+entry.OK, fail+entry.Fail
			}
		}
	}
	return ok, fail, nil
}

func (r *receipts) PoolsFrom(_ context.Context, from uint64) (sum uint64, err error) {
	for e, epoch := range r.epochs {
		if e >= from {
			sum += epoch.pool
		}
	}
	return sum, nil
}

// operators are operators whose controller is themselves unless set, on a grid of 20 blocks of 6 s.
type operators struct {
	known    map[string]*operatorstypes.Operator
	capacity map[string]operatorstypes.Capacity
	epoch    uint64
	probed   map[string]operatorstypes.Availability
	frozen   bool   // refuses to set a reputation
	broken   string // the capacity of this operator is a bug's runtime error
	noDisk   bool   // the store panics as it does when it cannot be read
	aging    bool   // capacity falls by one milli-VCU a block
}

func (o *operators) Params(context.Context) (operatorstypes.Params, error) {
	return operatorstypes.Params{Schedule: &operatorstypes.Schedule{EpochBlocks: 20}, BlockTimeMs: 6_000}, nil
}

func (o *operators) CurrentEpoch(context.Context) (uint64, error) { return o.epoch, nil }

func (o *operators) Operator(_ context.Context, operator []byte) (operatorstypes.Operator, error) {
	if op := o.known[string(operator)]; op != nil {
		return *op, nil
	}
	return operatorstypes.Operator{}, operatorstypes.ErrUnknownOperator
}

func (o *operators) Capacity(ctx context.Context, operator []byte) (operatorstypes.Capacity, error) {
	if o.broken == string(operator) {
		var classes []uint64
		return operatorstypes.Capacity{MilliVCU: classes[len(operator)]}, nil
	}
	if o.noDisk {
		panic(errFake)
	}
	capacity := o.capacity[string(operator)]
	if o.aging {
		height := uint64(sdk.UnwrapSDKContext(ctx).BlockHeight()) //nolint:gosec // a test's height
		capacity.MilliVCU -= min(capacity.MilliVCU, height)
	}
	return capacity, nil
}

func (o *operators) Availability(_ context.Context, operator []byte, _ uint64) (operatorstypes.Availability, error) {
	if a, probed := o.probed[string(operator)]; probed {
		return a, nil
	}
	return operatorstypes.Availability{Unmeasured: o.probed == nil}, nil
}

func (o *operators) SetReputation(_ context.Context, operator []byte, ppm, epoch uint64) error {
	if o.frozen {
		return errFake
	}
	o.known[string(operator)].ReputationPpm, o.known[string(operator)].ReputationEpoch = ppm, epoch
	return nil
}

// anchors keeps the leaves of the log.
type anchors struct{ leaves [][]byte }

func (a *anchors) Append(_ context.Context, data []byte) (uint64, error) {
	a.leaves = append(a.leaves, data)
	return uint64(len(a.leaves) - 1), nil
}

// register makes an operator known, with reputation 500000 of epoch 0 and a controller.
func (w *world) register(name, controller string) {
	w.operators.known[string(rawAddr(name))] = &operatorstypes.Operator{
		Address: addr(name), Controller: addr(controller), ReputationPpm: 500_000,
	}
}

// work enters usage of an operator and pays its part of the pool, as receipts does when it settles a batch.
func (w *world) work(e uint64, operator []byte, entry receiptstypes.UsageEntry) {
	entry.Take = entry.Amount / 10
	entry.Pool = entry.Take * 6 / 10
	epoch := w.receipts.epoch(e)
	epoch.entries[string(operator)] = append(epoch.entries[string(operator)], entry)
	epoch.pool += entry.Pool
	w.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))] += entry.Pool
}
