// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/keeper"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

var (
	addresses = addresscodec.NewBech32Codec("gpucoord")
	model     = sha256.Sum256([]byte("model"))
	plain     = sha256.Sum256([]byte("model without royalty"))
	adapter   = sha256.Sum256([]byte("adapter"))
	none      [32]byte
)

// raw returns the account address of a name.
func raw(name string) []byte {
	h := sha256.Sum256([]byte(name))
	return h[:20]
}

func text(addr []byte) string {
	s, err := addresses.BytesToString(addr)
	if err != nil {
		panic(err)
	}
	return s
}

// addr returns the bech32 address of a name.
func addr(name string) string { return text(raw(name)) }

// secret returns the key of a name.
func secret(name string) *receipt.PrivateKey {
	seed := sha256.Sum256([]byte("key " + name))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

// fixture is the module on a real store, with everything around it by hand. Epoch e is blocks 20e+1 to 20e+20; its submit window has 5
// blocks, its beacon 4, then 5 each to open, to challenge and to respond. So epoch 0 is submitted in 21–25, drawn in 26–29, opened in
// 30–34, challenged in 35–39 and final from 40.
//
// The operators "op" and "op2" have one host each, with key "host" and "host2"; both are of their own controller. The gateway "gw" has
// the settler "set" (routed, does not pay operators) with key "payer" and "paying" (pinned, pays operators) with key "payer2". The
// operator "op" is a settler for itself. Model takes 5 % and adapter 10 % more, plain nothing.
type fixture struct {
	t     *testing.T
	ctx   sdk.Context
	k     *keeper.Keeper
	cdc   *codec.ProtoCodec
	msgs  types.MsgServer
	query types.QueryServer

	bank      *bank
	operators *operators
	royalties *royalties
	log       *chainLog
}

// emptyFixture has no state in its store.
func emptyFixture(t *testing.T) *fixture {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	f := &fixture{
		t:    t,
		ctx:  testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient")),
		cdc:  codec.NewProtoCodec(codectypes.NewInterfaceRegistry()),
		bank: &bank{balances: map[string]uint64{}, refuse: map[string]bool{}},
		operators: &operators{
			schedule: epoch.Schedule{
				EpochBlocks: 20, SubmitBlocks: 5, BeaconBlocks: 4, OpenBlocks: 5, ChallengeBlocks: 5, ResponseBlocks: 5, GenesisHeight: 1,
			},
			domain: receipt.NewDomain("test-1", 7), cover: 1 << 50, ceiling: 1 << 40, reputation: 900_000,
			list: map[string]operatorstypes.Operator{}, keys: map[[20]byte]operatorstypes.HostKey{}, relayers: map[string]string{},
			offences: newOffences(),
		},
		royalties: &royalties{pricing: map[[2][32]byte]royaltiestypes.Pricing{}, refuse: map[[32]byte]error{}},
		log:       &chainLog{},
	}
	f.k = keeper.NewKeeper(keeper.Deps{
		Codec: f.cdc, StoreService: runtime.NewKVStoreService(key), AddressCodec: addresses, Bank: f.bank,
		Operators: f.operators, Royalties: f.royalties, Log: f.log, Authority: raw("governance"),
	})
	f.msgs, f.query = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	f.setHeight(1)
	f.addAssets()
	for _, name := range []string{"op", "op2"} {
		f.addOperator(name, name)
	}
	f.addHost("host", "op")
	f.addHost("host2", "op2")
	return f
}

// newFixture begins block 1 with the parties above; the settlers have 1,000,000 each. Keys begin and end without notice.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := emptyFixture(t)
	genesis := types.DefaultGenesis()
	genesis.Params.KeyNoticeSeconds = 0
	require.NoError(t, f.k.InitGenesis(f.ctx, genesis))
	require.NoError(t, f.k.BeginBlock(f.ctx))
	f.pay("gw", 1_000_000)
	f.do(&types.MsgRegisterGateway{Gateway: addr("gw"), Moniker: "gateway", BondUusdc: 1_000_000})
	f.addSettler("set", "gw", types.Class_CLASS_ROUTED, false, "payer")
	f.addSettler("paying", "gw", types.Class_CLASS_PINNED, true, "payer2")
	f.do(&types.MsgRegisterSettler{Settler: addr("op"), Class: types.Class_CLASS_DIRECT})
	for _, settler := range []string{"set", "paying", "op"} {
		f.deposit(settler, 1_000_000)
	}
	return f
}

func (f *fixture) addAssets() {
	payees := []royaltiestypes.Payee{{Address: addr("author"), Bps: 10_000}}
	base := &royaltiestypes.AssetTerms{ID: model, RoyaltyBps: 500, Earning: true, Payees: payees}
	f.royalties.pricing[[2][32]byte{model, none}] = royaltiestypes.Pricing{RoyaltyCapBps: 3_000, Base: base}
	f.royalties.pricing[[2][32]byte{model, adapter}] = royaltiestypes.Pricing{
		RoyaltyCapBps: 3_000, Base: base, Adapter: &royaltiestypes.AssetTerms{ID: adapter, RoyaltyBps: 1_000, Payees: payees},
	}
	f.royalties.pricing[[2][32]byte{plain, none}] = royaltiestypes.Pricing{
		RoyaltyCapBps: 3_000, Base: &royaltiestypes.AssetTerms{ID: plain},
	}
}

func (f *fixture) addOperator(name, controller string) {
	f.operators.list[string(raw(name))] = operatorstypes.Operator{Address: addr(name), Controller: addr(controller)}
}

// addHost registers a host of an operator with a key of its name, valid from the beginning.
func (f *fixture) addHost(name, operator string) {
	address := receipt.KeyAddress(secret(name))
	id := sha256.Sum256([]byte(name))
	f.operators.keys[address] = operatorstypes.HostKey{
		Address: address[:], HostId: id[:], Operator: addr(operator), RegisteredAt: genesisTime - 1_000,
	}
}

// addSettler registers a settler of a gateway and gives it a key.
func (f *fixture) addSettler(name, gateway string, class types.Class, pays bool, key string) {
	f.t.Helper()
	f.do(&types.MsgRegisterSettler{Settler: addr(name), Gateway: addr(gateway), Class: class, PaysOperators: pays})
	f.do(f.keyMsg(gateway, key, name))
}

// keyMsg registers a key of a gateway with its proof.
func (f *fixture) keyMsg(gateway, key, settler string) *types.MsgAddGatewayKey {
	address := receipt.KeyAddress(secret(key))
	proof := receipt.Sign(secret(key), receipt.KeyProofDigest(f.operators.domain, receipt.RoleGateway, [20]byte(raw(gateway)), address))
	return &types.MsgAddGatewayKey{
		Gateway: addr(gateway), PublicKey: secret(key).PubKey().SerializeCompressed(), KeyProof: proof[:], Settler: addr(settler),
	}
}

// pay gives an account uusdc from nowhere.
func (f *fixture) pay(name string, amount uint64) { f.bank.balances[string(raw(name))] += amount }

func (f *fixture) deposit(settler string, amount uint64) {
	f.t.Helper()
	f.pay(settler, amount)
	f.do(&types.MsgDeposit{Depositor: addr(settler), Settler: addr(settler), AmountUusdc: amount})
}

// held returns what a module account holds.
func (f *fixture) held(account string) uint64 { return f.bank.balances[string(module(account))] }

func (f *fixture) settler(name string) types.Settler {
	f.t.Helper()
	resp, err := f.query.Settler(f.ctx, &types.QuerySettlerRequest{Address: addr(name)})
	require.NoError(f.t, err)
	return resp.Settler
}

func (f *fixture) gateway(name string) types.Gateway {
	f.t.Helper()
	resp, err := f.query.Gateway(f.ctx, &types.QueryGatewayRequest{Address: addr(name)})
	require.NoError(f.t, err)
	return resp.Gateway
}

func (f *fixture) batch(id uint64) types.Batch {
	f.t.Helper()
	resp, err := f.query.Batch(f.ctx, &types.QueryBatchRequest{BatchId: id})
	require.NoError(f.t, err)
	return resp.Batch
}

func (f *fixture) epoch(e uint64) types.EpochState {
	f.t.Helper()
	resp, err := f.query.Epoch(f.ctx, &types.QueryEpochRequest{Epoch: e})
	require.NoError(f.t, err)
	return resp.State
}

func (f *fixture) setHeight(height int64) {
	f.ctx = f.ctx.WithBlockHeight(height).WithBlockTime(time.Unix(genesisTime+6*height, 0)).WithEventManager(sdk.NewEventManager())
}

// goTo ends the present block and works on all up to the beginning of the one at height. Invariants hold after each.
func (f *fixture) goTo(height int64) {
	f.t.Helper()
	for f.ctx.BlockHeight() < height {
		f.endBlock()
		events := f.ctx.EventManager().Events()
		f.setHeight(f.ctx.BlockHeight() + 1)
		f.ctx.EventManager().EmitEvents(events)
		require.NoError(f.t, f.k.BeginBlock(f.ctx))
	}
}

// endBlock ends the present block.
func (f *fixture) endBlock() {
	f.t.Helper()
	require.NoError(f.t, f.k.EndBlock(f.ctx))
	require.NoError(f.t, f.k.CheckInvariants(f.ctx))
}

// do sends a message that must succeed.
func (f *fixture) do(msg sdk.Msg) {
	f.t.Helper()
	_, err := f.send(msg)
	require.NoError(f.t, err)
}

// refused sends a message that must fail with an error, and change nothing.
func (f *fixture) refused(want error, msg sdk.Msg) {
	f.t.Helper()
	before := f.export()
	_, err := f.send(msg)
	require.ErrorIs(f.t, err, want)
	require.Equal(f.t, before, f.export())
}

// send validates a message as the router does and executes it as a transaction: an error leaves no trace.
func (f *fixture) send(msg sdk.Msg) (proto.Message, error) {
	f.t.Helper()
	if v, ok := msg.(sdk.HasValidateBasic); ok {
		if err := v.ValidateBasic(); err != nil {
			return nil, err
		}
	}
	cached, write := f.ctx.CacheContext()
	balances := map[string]uint64{}
	for account, amount := range f.bank.balances {
		balances[account] = amount
	}
	before := f.operators.clone()
	resp, err := f.handle(cached, msg)
	if err != nil {
		f.bank.balances = balances
		f.operators.offences = before
		return nil, err
	}
	write()
	return resp, nil
}

func (f *fixture) handle(ctx context.Context, msg sdk.Msg) (proto.Message, error) {
	switch m := msg.(type) {
	case *types.MsgConsentToGateway:
		return f.msgs.ConsentToGateway(ctx, m)
	case *types.MsgRegisterGateway:
		return f.msgs.RegisterGateway(ctx, m)
	case *types.MsgBondGateway:
		return f.msgs.BondGateway(ctx, m)
	case *types.MsgUnbondGateway:
		return f.msgs.UnbondGateway(ctx, m)
	case *types.MsgAddGatewayKey:
		return f.msgs.AddGatewayKey(ctx, m)
	case *types.MsgRemoveGatewayKey:
		return f.msgs.RemoveGatewayKey(ctx, m)
	case *types.MsgAccredit:
		return f.msgs.Accredit(ctx, m)
	case *types.MsgRegisterSettler:
		return f.msgs.RegisterSettler(ctx, m)
	case *types.MsgDeposit:
		return f.msgs.Deposit(ctx, m)
	case *types.MsgSetLimit:
		return f.msgs.SetLimit(ctx, m)
	case *types.MsgWithdraw:
		return f.msgs.Withdraw(ctx, m)
	case *types.MsgSubmitBatch:
		return f.msgs.SubmitBatch(ctx, m)
	case *types.MsgFundGroup:
		return f.msgs.FundGroup(ctx, m)
	case *types.MsgOpenSamples:
		return f.msgs.OpenSamples(ctx, m)
	case *types.MsgDeclareLoss:
		return f.msgs.DeclareLoss(ctx, m)
	case *types.MsgClaimEarnings:
		return f.msgs.ClaimEarnings(ctx, m)
	case *types.MsgChallenge:
		return f.msgs.Challenge(ctx, m)
	case *types.MsgDemandData:
		return f.msgs.DemandData(ctx, m)
	case *types.MsgAnswerData:
		return f.msgs.AnswerData(ctx, m)
	case *types.MsgClaimOmitted:
		return f.msgs.ClaimOmitted(ctx, m)
	case *types.MsgReportFailures:
		return f.msgs.ReportFailures(ctx, m)
	case *types.MsgRefuteFailure:
		return f.msgs.RefuteFailure(ctx, m)
	case *types.MsgSettleStuck:
		return f.msgs.SettleStuck(ctx, m)
	case *types.MsgUpdateParams:
		return f.msgs.UpdateParams(ctx, m)
	default:
		return nil, fmt.Errorf("no handler for %T", msg)
	}
}

// export returns the state as bytes.
func (f *fixture) export() []byte {
	f.t.Helper()
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(f.t, err)
	data, err := f.cdc.MarshalJSON(g)
	require.NoError(f.t, err)
	return data
}

// events returns all events of a type since the fixture's block began.
func events[T proto.Message](f *fixture) []T {
	f.t.Helper()
	var found []T
	for _, e := range f.ctx.EventManager().Events() {
		msg, err := sdk.ParseTypedEvent(abci.Event(e))
		require.NoError(f.t, err)
		if typed, ok := msg.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}

// lastEvent returns the newest event of a type; there must be one.
func lastEvent[T proto.Message](f *fixture) T {
	f.t.Helper()
	found := events[T](f)
	require.NotEmpty(f.t, found)
	return found[len(found)-1]
}

// hostID returns the id of a host.
func hostID(name string) []byte {
	id := sha256.Sum256([]byte(name))
	return id[:]
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// setParams changes the parameters as governance does.
func (f *fixture) setParams(change func(*types.Params)) {
	f.t.Helper()
	resp, err := f.query.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(f.t, err)
	change(&resp.Params)
	f.do(&types.MsgUpdateParams{Authority: addr("governance"), Params: resp.Params})
}

// pin changes the pinned parameters of epoch 0, as if governance had changed them before it began.
func (f *fixture) pin(change func(*types.Params)) {
	f.t.Helper()
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(f.t, err)
	change(&g.Epochs[0].Params)
	require.NoError(f.t, f.k.InitGenesis(f.ctx, g))
}
