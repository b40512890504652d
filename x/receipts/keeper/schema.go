// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"cosmossdk.io/core/address"
	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/codec"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

type (
	bytesPair   = collections.Pair[[]byte, []byte]
	epochPair   = collections.Pair[uint64, []byte]
	epochTriple = collections.Triple[uint64, []byte, []byte]
)

// thawIndexes find the thawing entries of a settler, bonds under the empty address, and those that mature.
type thawIndexes struct {
	settler *indexes.Multi[[]byte, uint64, types.Thaw]
	mature  *indexes.Multi[uint64, uint64, types.Thaw]
}

// IndexesList implements collections.Indexes.
func (i thawIndexes) IndexesList() []collections.Index[uint64, types.Thaw] {
	return []collections.Index[uint64, types.Thaw]{i.settler, i.mature}
}

// keyIndexes find the keys of a gateway.
type keyIndexes struct {
	gateway *indexes.Multi[[]byte, []byte, types.GatewayKey]
}

// IndexesList implements collections.Indexes.
func (i keyIndexes) IndexesList() []collections.Index[[]byte, types.GatewayKey] {
	return []collections.Index[[]byte, types.GatewayKey]{i.gateway}
}

// batchIndexes find the batches of an epoch and of an operator. due is the queue: every open batch is in it exactly once, at the
// height at which it is looked at next; those that are done are at 0.
type batchIndexes struct {
	epoch    *indexes.Multi[uint64, uint64, types.Batch]
	operator *indexes.Multi[[]byte, uint64, types.Batch]
	due      *indexes.Multi[uint64, uint64, types.Batch]
}

// IndexesList implements collections.Indexes.
func (i batchIndexes) IndexesList() []collections.Index[uint64, types.Batch] {
	return []collections.Index[uint64, types.Batch]{i.epoch, i.operator, i.due}
}

// demandIndexes find the demands of a batch and those whose deadline has passed.
type demandIndexes struct {
	batch *indexes.Multi[uint64, uint64, types.Demand]
	due   *indexes.Multi[uint64, uint64, types.Demand]
}

// IndexesList implements collections.Indexes.
func (i demandIndexes) IndexesList() []collections.Index[uint64, types.Demand] {
	return []collections.Index[uint64, types.Demand]{i.batch, i.due}
}

// evidenceIndexes find the evidence of an epoch.
type evidenceIndexes struct {
	epoch *indexes.Multi[uint64, []byte, types.UsedEvidence]
}

// IndexesList implements collections.Indexes.
func (i evidenceIndexes) IndexesList() []collections.Index[[]byte, types.UsedEvidence] {
	return []collections.Index[[]byte, types.UsedEvidence]{i.epoch}
}

// buildSchema makes all collections.
func (k *Keeper) buildSchema(cdc codec.BinaryCodec, storeService store.KVStoreService) (collections.Schema, error) {
	sb := collections.NewSchemaBuilder(storeService)
	pair := collections.PairKeyCodec(collections.BytesKey, collections.BytesKey)
	inEpoch := collections.PairKeyCodec(collections.Uint64Key, collections.BytesKey)
	triple := collections.TripleKeyCodec(collections.Uint64Key, collections.BytesKey, collections.BytesKey)

	k.params = collections.NewItem(sb, types.ParamsPrefix, "params", codec.CollValue[types.Params](cdc))
	k.epochs = collections.NewMap(sb, types.EpochStatesPrefix, "epoch_states", collections.Uint64Key, codec.CollValue[types.EpochState](cdc))
	k.settlers = collections.NewMap(sb, types.SettlersPrefix, "settlers", collections.BytesKey, codec.CollValue[types.Settler](cdc))
	k.limits = collections.NewMap(sb, types.LimitsPrefix, "limits", pair, codec.CollValue[types.Limit](cdc))
	k.locks = collections.NewMap(sb, types.LocksPrefix, "locks", pair, codec.CollValue[types.OperatorLock](cdc))
	k.thaws = newThaws(sb, cdc, k.addressCodec)
	k.nextThaw = collections.NewSequence(sb, types.NextThawPrefix, "next_thaw")
	k.gateways = collections.NewMap(sb, types.GatewaysPrefix, "gateways", collections.BytesKey, codec.CollValue[types.Gateway](cdc))
	k.consents = collections.NewMap(sb, types.ConsentsPrefix, "gateway_consents", pair, codec.CollValue[types.GatewayConsent](cdc))
	k.gatewayKeys = newGatewayKeys(sb, cdc, k.addressCodec)
	k.batches = newBatches(sb, cdc, k.addressCodec)
	k.nextBatch = collections.NewSequence(sb, types.NextBatchPrefix, "next_batch")
	k.watermarks = collections.NewMap(sb, types.WatermarksPrefix, "watermarks", pair, codec.CollValue[types.Watermark](cdc))
	k.hostEpochs = collections.NewMap(sb, types.HostEpochsPrefix, "host_epochs", inEpoch, codec.CollValue[types.HostEpoch](cdc))
	k.openClaims = collections.NewMap(sb, types.OpenClaimsPrefix, "open_claims", collections.BytesKey, codec.CollValue[types.OpenClaims](cdc))
	k.usages = collections.NewMap(sb, types.UsagesPrefix, "usages", triple, codec.CollValue[types.Usage](cdc))
	k.usageRows = collections.NewMap(sb, types.UsageRowsPrefix, "usage_rows", inEpoch, collections.Uint32Value)
	k.spends = collections.NewMap(sb, types.SpendsPrefix, "spends", triple, codec.CollValue[types.Spend](cdc))
	k.earnings = collections.NewMap(sb, types.EarningsPrefix, "earnings", collections.BytesKey, codec.CollValue[types.Earnings](cdc))
	k.losses = collections.NewMap(sb, types.LossesPrefix, "losses", inEpoch, codec.CollValue[types.Loss](cdc))
	k.prunedEpoch = collections.NewItem(sb, types.PrunedEpochPrefix, "pruned_epoch", collections.Uint64Value)
	k.claims = collections.NewMap(sb, types.ClaimsPrefix, "claims", inEpoch, collections.Uint64Value)
	k.demands = newDemands(sb, cdc)
	k.nextDemand = collections.NewSequence(sb, types.NextDemandPrefix, "next_demand")
	k.evidence = newEvidence(sb, cdc)
	k.failures = collections.NewMap(sb, types.FailuresPrefix, "failures", triple, codec.CollValue[types.Failures](cdc))
	k.failureReports = collections.NewMap(sb, types.FailureReportsPrefix, "failure_reports", inEpoch, codec.CollValue[types.FailureReport](cdc))
	k.routes = collections.NewMap(sb, types.RoutesPrefix, "routes", inEpoch, codec.CollValue[types.Routes](cdc))
	return sb.Build()
}

func newThaws(
	sb *collections.SchemaBuilder, cdc codec.BinaryCodec, addresses address.Codec,
) *collections.IndexedMap[uint64, types.Thaw, thawIndexes] {
	return collections.NewIndexedMap(sb, types.ThawsPrefix, "thaws", collections.Uint64Key, codec.CollValue[types.Thaw](cdc), thawIndexes{
		settler: indexes.NewMulti(sb, types.ThawsBySettlerPrefix, "thaws_by_settler", collections.BytesKey, collections.Uint64Key,
			func(_ uint64, t types.Thaw) ([]byte, error) {
				if t.Settler == "" { // a bond, which no claim looks for
					return []byte{}, nil
				}
				return addresses.StringToBytes(t.Settler)
			}),
		mature: indexes.NewMulti(sb, types.ThawsByHeightPrefix, "thaws_by_height", collections.Uint64Key, collections.Uint64Key,
			func(_ uint64, t types.Thaw) (uint64, error) { return t.MatureHeight, nil }),
	})
}

func newGatewayKeys(
	sb *collections.SchemaBuilder, cdc codec.BinaryCodec, addresses address.Codec,
) *collections.IndexedMap[[]byte, types.GatewayKey, keyIndexes] {
	return collections.NewIndexedMap(sb, types.GatewayKeysPrefix, "gateway_keys",
		collections.BytesKey, codec.CollValue[types.GatewayKey](cdc), keyIndexes{
			gateway: indexes.NewMulti(sb, types.KeysByGatewayPrefix, "keys_by_gateway", collections.BytesKey, collections.BytesKey,
				func(_ []byte, key types.GatewayKey) ([]byte, error) { return addresses.StringToBytes(key.Gateway) }),
		})
}

func newDemands(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) *collections.IndexedMap[uint64, types.Demand, demandIndexes] {
	return collections.NewIndexedMap(sb, types.DemandsPrefix, "demands", collections.Uint64Key, codec.CollValue[types.Demand](cdc), demandIndexes{
		batch: indexes.NewMulti(sb, types.DemandsByBatchPrefix, "demands_by_batch", collections.Uint64Key, collections.Uint64Key,
			func(_ uint64, d types.Demand) (uint64, error) { return d.BatchId, nil }),
		due: indexes.NewMulti(sb, types.DemandsByDuePrefix, "demands_by_due", collections.Uint64Key, collections.Uint64Key,
			func(_ uint64, d types.Demand) (uint64, error) { return d.DueHeight, nil }),
	})
}

func newEvidence(
	sb *collections.SchemaBuilder, cdc codec.BinaryCodec,
) *collections.IndexedMap[[]byte, types.UsedEvidence, evidenceIndexes] {
	return collections.NewIndexedMap(sb, types.EvidencePrefix, "used_evidence",
		collections.BytesKey, codec.CollValue[types.UsedEvidence](cdc), evidenceIndexes{
			epoch: indexes.NewMulti(sb, types.EvidenceByEpoch, "used_evidence_by_epoch", collections.Uint64Key, collections.BytesKey,
				func(_ []byte, e types.UsedEvidence) (uint64, error) { return e.Epoch, nil }),
		})
}

func newBatches(
	sb *collections.SchemaBuilder, cdc codec.BinaryCodec, addresses address.Codec,
) *collections.IndexedMap[uint64, types.Batch, batchIndexes] {
	return collections.NewIndexedMap(sb, types.BatchesPrefix, "batches", collections.Uint64Key, codec.CollValue[types.Batch](cdc), batchIndexes{
		epoch: indexes.NewMulti(sb, types.BatchesByEpochPrefix, "batches_by_epoch", collections.Uint64Key, collections.Uint64Key,
			func(_ uint64, b types.Batch) (uint64, error) { return b.Epoch, nil }),
		operator: indexes.NewMulti(sb, types.BatchesByOperator, "batches_by_operator", collections.BytesKey, collections.Uint64Key,
			func(_ uint64, b types.Batch) ([]byte, error) { return addresses.StringToBytes(b.Operator) }),
		due: indexes.NewMulti(sb, types.BatchesByDuePrefix, "batches_by_due", collections.Uint64Key, collections.Uint64Key,
			func(_ uint64, b types.Batch) (uint64, error) { return b.DueHeight, nil }),
	})
}
