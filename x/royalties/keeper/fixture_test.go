// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/royalties/keeper"
	"github.com/gpucoord/gpucoord/x/royalties/types"
)

var (
	addressCodec = addresscodec.NewBech32Codec("gpucoord")
	salt         = sha256.Sum256([]byte("salt"))
	errBank      = errors.New("bank says no")
)

// fixture is the module on a real store, with a bank and an epoch clock by hand.
type fixture struct {
	ctx    sdk.Context
	k      *keeper.Keeper
	msgs   types.MsgServer
	query  types.QueryServer
	bank   *bank
	epochs *epochs
}

// newFixture starts at height 100 in epoch 5 with default parameters and "arbiter" as arbiter.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.Arbiter = addr("arbiter")
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	return f
}

// emptyFixture is a fixture without any state.
func emptyFixture(t *testing.T) *fixture {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient"))
	f := &fixture{
		ctx:    ctx.WithBlockHeight(100),
		bank:   &bank{balances: map[string]uint64{}},
		epochs: &epochs{epoch: 5},
	}
	f.k = keeper.NewKeeper(keeper.Deps{
		Codec:        codec.NewProtoCodec(codectypes.NewInterfaceRegistry()),
		StoreService: runtime.NewKVStoreService(key),
		AddressCodec: addressCodec,
		Bank:         f.bank,
		Epochs:       f.epochs,
		Authority:    rawAddr("governance"),
	})
	f.msgs, f.query = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	return f
}

// forward goes blocks ahead.
func (f *fixture) forward(blocks int64) { f.ctx = f.ctx.WithBlockHeight(f.ctx.BlockHeight() + blocks) }

// commit commits owner to an asset.
func (f *fixture) commit(t *testing.T, owner string, id [32]byte) {
	t.Helper()
	hash := types.CommitHash([20]byte(rawAddr(owner)), id, salt)
	_, err := f.msgs.CommitAsset(f.ctx, &types.MsgCommitAsset{Owner: addr(owner), Hash: hash[:]})
	require.NoError(t, err)
}

// register commits and reveals.
func (f *fixture) register(t *testing.T, msg *types.MsgRegisterAsset) {
	t.Helper()
	require.NoError(t, msg.ValidateBasic())
	raw, err := addressCodec.StringToBytes(msg.Owner)
	require.NoError(t, err)
	hash := types.CommitHash([20]byte(raw), [32]byte(msg.AssetId), salt)
	_, err = f.msgs.CommitAsset(f.ctx, &types.MsgCommitAsset{Owner: msg.Owner, Hash: hash[:]})
	require.NoError(t, err)
	f.forward(2)
	_, err = f.msgs.RegisterAsset(f.ctx, msg)
	require.NoError(t, err)
}

// refused checks that do returns want and changes nothing.
func (f *fixture) refused(t *testing.T, want error, do func() error) {
	t.Helper()
	before := f.export(t)
	require.ErrorIs(t, do(), want)
	require.Equal(t, before, f.export(t))
}

// export returns the state as JSON.
func (f *fixture) export(t *testing.T) string {
	t.Helper()
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	return string(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()).MustMarshalJSON(genesis))
}

// asset returns a stored asset.
func (f *fixture) asset(t *testing.T, id [32]byte) *types.QueryAssetResponse {
	t.Helper()
	resp, err := f.query.Asset(f.ctx, &types.QueryAssetRequest{AssetId: hexID(id)})
	require.NoError(t, err)
	return resp
}

// claimable returns what somebody may claim.
func (f *fixture) claimable(t *testing.T, name string) uint64 {
	t.Helper()
	resp, err := f.query.Accrual(f.ctx, &types.QueryAccrualRequest{Payee: addr(name)})
	require.NoError(t, err)
	return resp.Accrual.ClaimableUusdc
}

// lastEvent checks that the newest event is want.
func (f *fixture) lastEvent(t *testing.T, want proto.Message) {
	t.Helper()
	event, err := sdk.TypedEventToEvent(want)
	require.NoError(t, err)
	events := f.ctx.EventManager().Events()
	require.NotEmpty(t, events)
	require.Equal(t, event, events[len(events)-1])
}

// base is a registration of a base model by "lab" that gives "lab" everything.
func base(name string, royaltyBps uint64) *types.MsgRegisterAsset {
	id := assetID(name)
	manifest := sha256.Sum256([]byte("manifest of " + name))
	return &types.MsgRegisterAsset{
		Owner:          addr("lab"),
		AssetId:        id[:],
		Salt:           salt[:],
		Kind:           types.AssetKind_ASSET_KIND_BASE,
		ManifestUri:    "ipfs://manifest",
		ManifestSha256: manifest[:],
		License:        "Apache-2.0",
		CommercialUse:  true,
		RoyaltyBps:     royaltyBps,
		Payees:         payees("lab", 10_000),
		Name:           name,
	}
}

// adapter is a registration of an adapter by "author".
func adapter(name, baseName string, royaltyBps uint64, split []types.Payee, parents ...string) *types.MsgRegisterAsset {
	msg, baseID := base(name, royaltyBps), assetID(baseName)
	msg.Owner, msg.Kind, msg.Base, msg.Payees = addr("author"), types.AssetKind_ASSET_KIND_ADAPTER, baseID[:], split
	for _, parent := range parents {
		id := assetID(parent)
		msg.Parents = append(msg.Parents, id[:])
	}
	return msg
}

// payees reads pairs of name and bps.
//
//nolint:forcetypeassert // a wrong pair is a fault of the test itself
func payees(pairs ...any) []types.Payee {
	var list []types.Payee
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.Payee{Address: addr(pairs[i].(string)), Bps: uint64(pairs[i+1].(int))})
	}
	return list
}

func assetID(name string) [32]byte { return sha256.Sum256([]byte("asset " + name)) }

func rawAddr(name string) []byte {
	sum := sha256.Sum256([]byte("account " + name))
	return sum[:20]
}

func addr(name string) string {
	text, err := addressCodec.BytesToString(rawAddr(name))
	if err != nil {
		panic(err)
	}
	return text
}

// epochs is an epoch clock that stands still.
type epochs struct{ epoch uint64 }

func (e *epochs) CurrentEpoch(context.Context) (uint64, error) { return e.epoch, nil }

// bank is a ledger of uusdc.
type bank struct {
	balances map[string]uint64
	err      error
}

func (b *bank) SendCoinsFromModuleToAccount(_ context.Context, module string, to sdk.AccAddress, amount sdk.Coins) error {
	if b.err != nil {
		return b.err
	}
	from, coins := string(authtypes.NewModuleAddress(module)), amount.AmountOf(types.SettlementDenom).Uint64()
	if b.balances[from] < coins {
		return errBank
	}
	b.balances[from] -= coins
	b.balances[string(to)] += coins
	return nil
}

func (b *bank) GetBalance(_ context.Context, account sdk.AccAddress, denom string) sdk.Coin {
	return sdk.NewCoin(denom, sdkmath.NewIntFromUint64(b.balances[string(account)]))
}

// fund gives the module account what a settlement pays into it.
func (b *bank) fund(amount uint64) {
	b.balances[string(authtypes.NewModuleAddress(types.ModuleName))] += amount
}
