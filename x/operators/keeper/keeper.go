// SPDX-License-Identifier: Apache-2.0

// Package keeper holds the operators module's state: identity, hosts, devices, bonds and the epoch clock.
package keeper

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/log/v2"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

type (
	hostKey  = []byte
	gpuKey   = collections.Pair[[]byte, uint32]
	grantKey = collections.Pair[[]byte, []byte]
	linkKey  = collections.Pair[string, []byte]
)

// hostIndexes finds the hosts of an operator.
type hostIndexes struct {
	operator *indexes.Multi[[]byte, hostKey, types.Host]
}

// IndexesList implements collections.Indexes.
func (i hostIndexes) IndexesList() []collections.Index[hostKey, types.Host] {
	return []collections.Index[hostKey, types.Host]{i.operator}
}

// gpuIndexes keeps a device at one host, chain-wide.
type gpuIndexes struct {
	device *indexes.Unique[[]byte, gpuKey, types.GPU]
}

// IndexesList implements collections.Indexes.
func (i gpuIndexes) IndexesList() []collections.Index[gpuKey, types.GPU] {
	return []collections.Index[gpuKey, types.GPU]{i.device}
}

// unbondingIndexes order the queue by maturity and find an operator's entries.
type unbondingIndexes struct {
	mature   *indexes.Multi[uint64, uint64, types.Unbonding]
	operator *indexes.Multi[[]byte, uint64, types.Unbonding]
}

// IndexesList implements collections.Indexes.
func (i unbondingIndexes) IndexesList() []collections.Index[uint64, types.Unbonding] {
	return []collections.Index[uint64, types.Unbonding]{i.mature, i.operator}
}

// Keeper reads and writes the module's state.
type Keeper struct {
	// Schema is the state's schema.
	Schema collections.Schema

	addressCodec address.Codec
	bank         types.BankKeeper
	vesting      []types.Slashable
	authority    string

	params        collections.Item[types.Params]
	operators     collections.Map[[]byte, types.Operator]
	hosts         *collections.IndexedMap[hostKey, types.Host, hostIndexes]
	hostKeys      collections.Map[[]byte, types.HostKey]
	gpus          *collections.IndexedMap[gpuKey, types.GPU, gpuIndexes]
	unbondings    *collections.IndexedMap[uint64, types.Unbonding, unbondingIndexes]
	nextUnbonding collections.Sequence
	grants        collections.Map[grantKey, types.RelayerGrant]
	nodeLinks     collections.Map[linkKey, types.NodeLink]
	consents      collections.Map[grantKey, types.ControllerConsent]
	blockHashes   collections.Map[uint64, []byte]
	epochStarts   collections.Map[uint64, types.EpochStart]

	heightDeadlines *deadlineMap
	timeDeadlines   *deadlineMap
	panelDeadlines  *deadlineMap
	usedEvidence    collections.Map[[]byte, types.UsedEvidence]
	strikes         collections.Map[strikesKey, types.Strikes]
	deferred        collections.Map[uint64, types.DeferredPunishment]
	nextDeferred    collections.Sequence
	breaker         collections.Item[types.Breaker]
	bonded          collections.Item[math.Int]
	barred          collections.KeySet[[]byte]
	reports         collections.Map[uint64, types.Report]
	lastReport      collections.Sequence
	verifiers       collections.Map[[]byte, types.Verifier]
	attestations    *collections.IndexedMap[[]byte, types.Attestation, attestationIndexes]

	probers        collections.Map[[]byte, types.Prober]
	proberSlots    collections.Map[uint32, []byte]
	proberSums     collections.Map[uint32, uint64]
	panels         collections.Map[uint64, types.Panel]
	observations   collections.Map[observationKey, types.Observation]
	availabilities collections.Map[availabilityKey, types.OperatorAvailability]
	measuredFrom   collections.Item[uint64]
}

// NewKeeper returns the keeper. It panics where the wiring is wrong: a bad authority or clashing prefixes. A slash that bond and unbonding
// money do not cover goes on to vesting, in that order.
func NewKeeper(
	cdc codec.BinaryCodec, storeService store.KVStoreService, addressCodec address.Codec, bank types.BankKeeper, authority []byte,
	vesting ...types.Slashable,
) *Keeper {
	authorityText, err := addressCodec.BytesToString(authority)
	if err != nil {
		panic(err)
	}
	sb := collections.NewSchemaBuilder(storeService)
	k := &Keeper{
		addressCodec: addressCodec,
		bank:         bank,
		vesting:      vesting,
		authority:    authorityText,

		params:        collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc)),
		operators:     collections.NewMap(sb, types.OperatorsPrefix, "operators", collections.BytesKey, codec.CollValue[types.Operator](cdc)),
		hostKeys:      collections.NewMap(sb, types.HostKeysPrefix, "host_keys", collections.BytesKey, codec.CollValue[types.HostKey](cdc)),
		nextUnbonding: collections.NewSequence(sb, types.NextUnbondingPrefix, "next_unbonding"),
		grants: collections.NewMap(sb, types.RelayerGrantsPrefix, "relayer_grants",
			collections.PairKeyCodec(collections.BytesKey, collections.BytesKey), codec.CollValue[types.RelayerGrant](cdc)),
		nodeLinks: collections.NewMap(sb, types.NodeLinksPrefix, "node_links",
			collections.PairKeyCodec(collections.StringKey, collections.BytesKey), codec.CollValue[types.NodeLink](cdc)),
		consents: collections.NewMap(sb, types.ConsentsPrefix, "controller_consents",
			collections.PairKeyCodec(collections.BytesKey, collections.BytesKey), codec.CollValue[types.ControllerConsent](cdc)),
		blockHashes: collections.NewMap(sb, types.BlockHashesPrefix, "block_hashes", collections.Uint64Key, collections.BytesValue),
		epochStarts: collections.NewMap(sb, types.EpochStartsPrefix, "epoch_starts", collections.Uint64Key, codec.CollValue[types.EpochStart](cdc)),
	}
	k.hosts = newHosts(sb, cdc, addressCodec)
	k.gpus = newGPUs(sb, cdc)
	k.unbondings = newUnbondings(sb, cdc, addressCodec)
	k.addOffences(sb, cdc)
	k.addAttestations(sb, cdc)
	k.addProbers(sb, cdc)
	k.Schema, err = sb.Build()
	if err != nil {
		panic(err)
	}
	return k
}

func newHosts(
	sb *collections.SchemaBuilder, cdc codec.BinaryCodec, addressCodec address.Codec,
) *collections.IndexedMap[hostKey, types.Host, hostIndexes] {
	return collections.NewIndexedMap(sb, types.HostsPrefix, "hosts", collections.BytesKey, codec.CollValue[types.Host](cdc), hostIndexes{
		operator: indexes.NewMulti(sb, types.HostsByOperatorPrefix, "hosts_by_operator", collections.BytesKey, collections.BytesKey,
			func(_ hostKey, h types.Host) ([]byte, error) { return addressCodec.StringToBytes(h.Operator) }),
	})
}

func newGPUs(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) *collections.IndexedMap[gpuKey, types.GPU, gpuIndexes] {
	key := collections.PairKeyCodec(collections.BytesKey, collections.Uint32Key)
	return collections.NewIndexedMap(sb, types.GPUsPrefix, "gpus", key, codec.CollValue[types.GPU](cdc), gpuIndexes{
		device: indexes.NewUnique(sb, types.GPUsByDevicePrefix, "gpus_by_device", collections.BytesKey, key,
			func(_ gpuKey, g types.GPU) ([]byte, error) { return g.DeviceHash, nil }),
	})
}

func newUnbondings(
	sb *collections.SchemaBuilder, cdc codec.BinaryCodec, addressCodec address.Codec,
) *collections.IndexedMap[uint64, types.Unbonding, unbondingIndexes] {
	return collections.NewIndexedMap(sb, types.UnbondingsPrefix, "unbondings", collections.Uint64Key, codec.CollValue[types.Unbonding](cdc),
		unbondingIndexes{
			mature: indexes.NewMulti(sb, types.UnbondingsByTimePrefix, "unbondings_by_maturity", collections.Uint64Key, collections.Uint64Key,
				func(_ uint64, u types.Unbonding) (uint64, error) { return u.MatureHeight, nil }),
			operator: indexes.NewMulti(sb, types.UnbondingsByOwner, "unbondings_by_operator", collections.BytesKey, collections.Uint64Key,
				func(_ uint64, u types.Unbonding) ([]byte, error) { return addressCodec.StringToBytes(u.Operator) }),
		})
}

// logger is for operators of nodes; nothing in state depends on it.
func (k *Keeper) logger(ctx context.Context) log.Logger {
	return sdk.UnwrapSDKContext(ctx).Logger().With("module", "x/"+types.ModuleName)
}

// parseAddress reads any account of this chain.
func (k *Keeper) parseAddress(field, text string) ([]byte, error) {
	addr, err := k.addressCodec.StringToBytes(text)
	if err != nil {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "%s %q: %s", field, text, err)
	}
	return addr, nil
}

// parseOperator reads an operator's account, which must have 20 bytes to fit receipts and log leaves.
func (k *Keeper) parseOperator(text string) ([]byte, error) {
	addr, err := k.parseAddress("operator", text)
	if err != nil {
		return nil, err
	}
	if len(addr) != types.AddressLength {
		return nil, errorsmod.Wrapf(types.ErrInvalidAddress, "operator %q has %d bytes, want %d", text, len(addr), types.AddressLength)
	}
	return addr, nil
}

// height is the height of the present block.
func height(ctx context.Context) uint64 {
	h := sdk.UnwrapSDKContext(ctx).BlockHeight()
	return uint64(max(h, 0)) //nolint:gosec // never negative here
}

// blockTime is the present block's time in Unix seconds; at least 1, because 0 means "none" in state.
func blockTime(ctx context.Context) uint64 {
	t := sdk.UnwrapSDKContext(ctx).BlockTime().Unix()
	return uint64(max(t, 1)) //nolint:gosec // never negative here
}

// emit emits a typed event.
func emit(ctx context.Context, event proto.Message) error {
	return sdk.UnwrapSDKContext(ctx).EventManager().EmitTypedEvent(event)
}
