// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/keeper"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

const (
	chainID = "gpucoord-test-1"
	purse   = 100_000_000 // ultai that every account starts with
)

var (
	addressCodec = addresscodec.NewBech32Codec("gpucoord")
	errBank      = errors.New("bank says no")
	genesisTime  = time.Unix(1_800_000_000, 0).UTC()
)

// fixture is the module on a real store, with a bank by hand.
type fixture struct {
	ctx   sdk.Context
	k     *keeper.Keeper
	msgs  types.MsgServer
	query types.QueryServer
	bank  *bank
	vest  *vesting
}

// vesting holds rewards that a slash may reach.
type vesting struct {
	bank *bank
	of   map[string]uint64
}

func (v *vesting) SlashVesting(_ context.Context, operator []byte, amount uint64) (uint64, error) {
	part := min(amount, v.of[string(operator)])
	v.of[string(operator)] -= part
	v.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))] += part
	return part, nil
}

// newFixture has run the first block of the default parameters.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := emptyFixture(t)
	require.NoError(t, f.k.InitGenesis(f.ctx, types.DefaultGenesis()))
	f.begin(t, 1)
	return f
}

// emptyFixture is a fixture without any state.
func emptyFixture(t *testing.T) *fixture {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContext(key, storetypes.NewTransientStoreKey("transient"))
	f := &fixture{ctx: ctx.WithChainID(chainID).WithBlockTime(genesisTime), bank: &bank{balances: map[string]uint64{}, uusdc: map[string]uint64{}}}
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	f.vest = &vesting{bank: f.bank, of: map[string]uint64{}}
	f.k = keeper.NewKeeper(cdc, runtime.NewKVStoreService(key), addressCodec, f.bank, raw("governance"), f.vest)
	f.msgs, f.query = keeper.NewMsgServer(f.k), keeper.NewQueryServer(f.k)
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin", "vera", "viktor"} {
		f.bank.balances[string(raw(name))] = purse
	}
	return f
}

// begin begins the block at height; blocks are 6 s apart and hashed by their height.
func (f *fixture) begin(t *testing.T, height int64) {
	t.Helper()
	hash := blockHash(height)
	f.ctx = f.ctx.WithBlockHeight(height).WithBlockTime(genesisTime.Add(time.Duration(height) * 6 * time.Second)).
		WithHeaderHash(hash[:]).WithEventManager(sdk.NewEventManager())
	require.NoError(t, f.k.BeginBlock(f.ctx))
}

// end ends the block, then checks every invariant.
func (f *fixture) end(t *testing.T) {
	t.Helper()
	require.NoError(t, f.k.EndBlock(f.ctx))
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// operator registers an operator with a bond.
func (f *fixture) operator(t *testing.T, name string, bond uint64) {
	t.Helper()
	_, err := f.msgs.RegisterOperator(f.ctx, &types.MsgRegisterOperator{Operator: addr(name), Moniker: name, BondUltai: bond})
	require.NoError(t, err)
}

// host registers a host of the operator, whose receipt key is named by label.
func (f *fixture) host(t *testing.T, operator, label string) []byte {
	t.Helper()
	resp, err := f.msgs.RegisterHost(f.ctx, f.registerHost(t, operator, label))
	require.NoError(t, err)
	return resp.HostId
}

// registerHost is a valid message.
func (f *fixture) registerHost(t *testing.T, operator, label string) *types.MsgRegisterHost {
	t.Helper()
	proof := f.keyProof(t, operator, label)
	return &types.MsgRegisterHost{
		Operator: addr(operator), PublicKey: key(label).PubKey().SerializeCompressed(), KeyProof: proof[:],
		Endpoint: "https://gpu.example.org/v1",
		Models:   []types.HostModel{{ModelId: hash32("model"), PriceInUusdc: 100, PriceOutUusdc: 400, ServedName: "llama"}},
	}
}

// keyProof is the key's proof of possession for the operator.
func (f *fixture) keyProof(t *testing.T, operator, label string) [65]byte {
	t.Helper()
	domain, err := f.k.ReceiptDomain(f.ctx)
	require.NoError(t, err)
	return receipt.Sign(key(label), receipt.KeyProofDigest(domain, receipt.RoleHost, [20]byte(raw(operator)), receipt.KeyAddress(key(label))))
}

// statement is a capacity statement of the host, signed by the key of that label.
func (f *fixture) statement(t *testing.T, sender string, hostID []byte, label string, nonceHeight uint64, gpus ...types.GPUCommitment) *types.MsgSubmitCapacity {
	t.Helper()
	msg := &types.MsgSubmitCapacity{Sender: addr(sender), HostId: hostID, NonceHeight: nonceHeight, Gpus: gpus}
	f.sign(t, msg, label)
	return msg
}

// sign signs the statement as a host would: from the block hash, the epoch and its key.
func (f *fixture) sign(t *testing.T, msg *types.MsgSubmitCapacity, label string) {
	t.Helper()
	domain, err := f.k.ReceiptDomain(f.ctx)
	require.NoError(t, err)
	pub := [33]byte(key(label).PubKey().SerializeCompressed())
	epoch := (msg.NonceHeight - 1) / 20 // of the default schedule
	nonce := receipt.CapacityNonce(domain.Salt(), epoch, blockHash(int64(msg.NonceHeight)), receipt.KeyAddress(key(label)), pub)
	stated := make([]receipt.StatedGPU, len(msg.Gpus))
	for i, g := range msg.Gpus {
		stated[i] = receipt.StatedGPU{Index: g.Index, DeviceHash: [32]byte(g.DeviceHash), Class: g.Class, MemoryMiB: g.MemoryMib}
	}
	sig := receipt.Sign(key(label), receipt.CapacityStatement(nonce, msg.Simulated, stated))
	msg.Signature = sig[:]
}

// stored returns a host with its key and devices.
func (f *fixture) stored(t *testing.T, hostID []byte) *types.QueryHostResponse {
	t.Helper()
	resp, err := f.query.Host(f.ctx, &types.QueryHostRequest{HostId: hex.EncodeToString(hostID)})
	require.NoError(t, err)
	return resp
}

// get returns an operator.
func (f *fixture) get(t *testing.T, name string) types.Operator {
	t.Helper()
	op, err := f.k.Operator(f.ctx, raw(name))
	require.NoError(t, err)
	return op
}

// refused checks that do fails with want and changes nothing.
func (f *fixture) refused(t *testing.T, want error, do func(ctx context.Context) error) {
	t.Helper()
	before, money := f.export(t), f.bank.String()
	require.ErrorIs(t, do(f.ctx), want)
	require.Equal(t, before, f.export(t))
	require.Equal(t, money, f.bank.String())
}

// export returns the state as JSON.
func (f *fixture) export(t *testing.T) string {
	t.Helper()
	genesis, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	return string(codec.NewProtoCodec(codectypes.NewInterfaceRegistry()).MustMarshalJSON(genesis))
}

// clearEvents forgets the events so far.
func (f *fixture) clearEvents() { f.ctx = f.ctx.WithEventManager(sdk.NewEventManager()) }

// events checks that exactly these were emitted, in order, since the last clearing.
func (f *fixture) events(t *testing.T, want ...proto.Message) {
	t.Helper()
	expected := sdk.Events{}
	for _, w := range want {
		event, err := sdk.TypedEventToEvent(w)
		require.NoError(t, err)
		expected = append(expected, event)
	}
	require.Equal(t, expected, f.ctx.EventManager().Events())
}

// raw is a named account of 20 bytes.
func raw(name string) []byte {
	sum := sha256.Sum256([]byte("account " + name))
	return sum[:20]
}

// addr is a named account in bech32.
func addr(name string) string {
	text, err := addressCodec.BytesToString(raw(name))
	if err != nil {
		panic(err)
	}
	return text
}

// key is a named receipt or owner key.
func key(label string) *receipt.PrivateKey {
	sum := sha256.Sum256([]byte("key " + label))
	k, err := receipt.ParsePrivateKey(sum[:])
	if err != nil {
		panic(err)
	}
	return k
}

func hash32(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

func blockHash(height int64) [32]byte {
	return sha256.Sum256([]byte{'b', byte(height >> 16), byte(height >> 8), byte(height)})
}

// gpu is an H100 at an index.
func gpu(index uint32, device string) types.GPUCommitment {
	return types.GPUCommitment{Index: index, Class: "h100-80g", MemoryMib: 81_559, DeviceHash: hash32(device)}
}

// bank is a ledger of ultai that can refuse an account, or panic at it.
type bank struct {
	balances map[string]uint64
	refuses  string
	panics   string
	uusdc    map[string]uint64
}

func (b *bank) String() string {
	return math.NewIntFromUint64(b.of(types.ModuleName)).String() + "/" + math.NewIntFromUint64(b.of(types.InsuranceAccount)).String()
}

// of is what a module account holds.
func (b *bank) of(module string) uint64 {
	return b.balances[string(authtypes.NewModuleAddress(module))]
}

func (b *bank) move(from, to []byte, amt sdk.Coins) error {
	amount, balances := amt.AmountOf(types.BondDenom).Uint64(), b.balances
	if amt.AmountOf(types.SettlementDenom).IsPositive() {
		amount, balances = amt.AmountOf(types.SettlementDenom).Uint64(), b.uusdc
	}
	if b.panics != "" && b.panics == string(to) {
		panic("bank lost its mind")
	}
	if b.refuses == string(to) || balances[string(from)] < amount || len(amt) != 1 {
		return errBank
	}
	balances[string(from)] -= amount
	balances[string(to)] += amount
	return nil
}

func (b *bank) SendCoinsFromAccountToModule(_ context.Context, from sdk.AccAddress, module string, amt sdk.Coins) error {
	return b.move(from, authtypes.NewModuleAddress(module), amt)
}

func (b *bank) SendCoinsFromModuleToAccount(_ context.Context, module string, to sdk.AccAddress, amt sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(module), to, amt)
}

func (b *bank) SendCoinsFromModuleToModule(_ context.Context, from, to string, amt sdk.Coins) error {
	return b.move(authtypes.NewModuleAddress(from), authtypes.NewModuleAddress(to), amt)
}

func (b *bank) GetBalance(_ context.Context, addr sdk.AccAddress, denom string) sdk.Coin {
	if denom == types.SettlementDenom {
		return sdk.NewCoin(denom, math.NewIntFromUint64(b.uusdc[string(addr)]))
	}
	return sdk.NewCoin(denom, math.NewIntFromUint64(b.balances[string(addr)]))
}

// owns gives the module account its money.
func (f *fixture) owns(ultai uint64) {
	f.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))] = ultai
}

// hostKeyOf is the receipt key of an operator's first host.
func (f *fixture) hostKeyOf(t *testing.T, operator string) [20]byte {
	t.Helper()
	id := types.HostID([20]byte(raw(operator)), 0)
	host, err := f.k.Host(f.ctx, id)
	require.NoError(t, err)
	return [20]byte(host.ReceiptKey)
}
