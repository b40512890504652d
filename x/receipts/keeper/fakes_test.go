// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

var (
	errBank = errors.New("bank says no")
	errLog  = errors.New("log says no")
)

// bank is a ledger of uusdc by address.
type bank struct {
	balances map[string]uint64
	refuse   map[string]bool // recipients that are refused
}

func module(name string) sdk.AccAddress { return authtypes.NewModuleAddress(name) }

func (b *bank) move(from, to sdk.AccAddress, amt sdk.Coins) error {
	amount := amt.AmountOf(types.SettlementDenom).Uint64()
	if b.refuse[string(to)] || b.balances[string(from)] < amount {
		return errBank
	}
	b.balances[string(from)] -= amount
	b.balances[string(to)] += amount
	return nil
}

func (b *bank) SendCoinsFromAccountToModule(_ context.Context, from sdk.AccAddress, to string, amt sdk.Coins) error {
	return b.move(from, module(to), amt)
}

func (b *bank) SendCoinsFromModuleToAccount(_ context.Context, from string, to sdk.AccAddress, amt sdk.Coins) error {
	return b.move(module(from), to, amt)
}

func (b *bank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amt sdk.Coins) error {
	return b.move(module(from), module(to), amt)
}

func (b *bank) GetBalance(_ context.Context, addr sdk.AccAddress, denom string) sdk.Coin {
	return sdk.NewCoin(denom, sdkmath.NewIntFromUint64(b.balances[string(addr)]))
}

// operators is x/operators by hand. Blocks take 6 s, the first at genesisTime.
type operators struct {
	schedule   epoch.Schedule
	domain     receipt.Domain
	list       map[string]operatorstypes.Operator
	keys       map[[20]byte]operatorstypes.HostKey
	relayers   map[string]string // relayer -> operator
	cover      uint64
	ceiling    uint64
	reputation uint64
	repEpoch   uint64
	noHash     bool

	offences
}

const genesisTime = 1_700_000_000

func (o *operators) Schedule(context.Context) (epoch.Schedule, error) { return o.schedule, nil }

func (o *operators) EpochStartTime(_ context.Context, e uint64) (uint64, bool, error) {
	first, err := o.schedule.First(e)
	return genesisTime + 6*first, true, err
}

func (o *operators) BlockHash(_ context.Context, height uint64) ([32]byte, error) {
	if o.noHash {
		return [32]byte{}, operatorstypes.ErrNoBlockHash
	}
	return blockHash(height), nil
}

func blockHash(height uint64) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("block"), height))
}

func (o *operators) ReceiptDomain(context.Context) (receipt.Domain, error) { return o.domain, nil }

func (o *operators) HostKey(_ context.Context, key [20]byte) (operatorstypes.HostKey, error) {
	k, found := o.keys[key]
	if !found {
		return operatorstypes.HostKey{}, operatorstypes.ErrUnknownHostKey
	}
	return k, nil
}

func (o *operators) Host(_ context.Context, id [32]byte) (operatorstypes.Host, error) {
	for _, key := range o.keys {
		if bytes.Equal(key.HostId, id[:]) {
			return operatorstypes.Host{Id: key.HostId, Operator: key.Operator}, nil
		}
	}
	return operatorstypes.Host{}, operatorstypes.ErrUnknownHost
}

func (o *operators) Operator(_ context.Context, addr []byte) (operatorstypes.Operator, error) {
	op, found := o.list[string(addr)]
	if !found {
		return operatorstypes.Operator{}, operatorstypes.ErrUnknownOperator
	}
	return op, nil
}

func (o *operators) CheckSender(_ context.Context, operator, sender []byte) error {
	if bytes.Equal(operator, sender) || o.relayers[string(sender)] == string(operator) {
		return nil
	}
	return operatorstypes.ErrUnauthorized
}

func (o *operators) TokenCeiling(context.Context, [32]byte) (uint64, error) { return o.ceiling, nil }

func (o *operators) Cover(context.Context, []byte) (uint64, error) { return o.cover, nil }

func (o *operators) Reputation(context.Context, []byte) (uint64, uint64, error) {
	return o.reputation, o.repEpoch, nil
}

// accrual is what one group accrued.
type accrual struct {
	batch   uint64
	group   uint32
	royalty uint64
}

// royalties prices models and adapters; one that is not listed is unknown.
type royalties struct {
	pricing  map[[2][32]byte]royaltiestypes.Pricing
	refuse   map[[32]byte]error // models whose pricing fails
	accruals []accrual
}

func (r *royalties) Pricer(uint64) royaltiestypes.Pricer { return r.price }

func (r *royalties) price(_ context.Context, model, adapter [32]byte) (royaltiestypes.Pricing, error) {
	if err := r.refuse[model]; err != nil {
		return royaltiestypes.Pricing{}, err
	}
	p, found := r.pricing[[2][32]byte{model, adapter}]
	if !found {
		return royaltiestypes.Pricing{}, royaltiestypes.ErrUnknownAsset
	}
	return p, nil
}

func (r *royalties) Accrue(_ context.Context, batch uint64, dues []royaltiestypes.GroupDue) error {
	for _, due := range dues {
		r.accruals = append(r.accruals, accrual{batch: batch, group: due.Group, royalty: due.Waterfall.Royalty})
	}
	return nil
}

// chainLog keeps what is appended.
type chainLog struct {
	leaves [][]byte
	refuse bool
}

func (l *chainLog) Append(_ context.Context, data []byte) (uint64, error) {
	if l.refuse {
		return 0, errLog
	}
	l.leaves = append(l.leaves, data)
	return uint64(len(l.leaves) - 1), nil
}
