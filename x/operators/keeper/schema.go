// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/collections/indexes"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

type (
	deadlineKey     = collections.Pair[uint32, []byte]
	strikesKey      = collections.Pair[[]byte, string]
	observationKey  = collections.Triple[uint64, []byte, uint32]
	availabilityKey = collections.Pair[uint64, []byte]
	deadlineMap     = collections.IndexedMap[deadlineKey, types.Deadline, deadlineIndexes]
)

// deadlineIndexes order a queue of deadlines.
type deadlineIndexes struct {
	due *indexes.Multi[uint64, deadlineKey, types.Deadline]
}

// IndexesList implements collections.Indexes.
func (i deadlineIndexes) IndexesList() []collections.Index[deadlineKey, types.Deadline] {
	return []collections.Index[deadlineKey, types.Deadline]{i.due}
}

// attestationIndexes find the attestations of a host.
type attestationIndexes struct {
	host *indexes.Multi[[]byte, []byte, types.Attestation]
}

// IndexesList implements collections.Indexes.
func (i attestationIndexes) IndexesList() []collections.Index[[]byte, types.Attestation] {
	return []collections.Index[[]byte, types.Attestation]{i.host}
}

func newDeadlines(sb *collections.SchemaBuilder, cdc codec.BinaryCodec, entries, due collections.Prefix, name string) *deadlineMap {
	key := collections.PairKeyCodec(collections.Uint32Key, collections.BytesKey)
	return collections.NewIndexedMap(sb, entries, name+"_deadlines", key, codec.CollValue[types.Deadline](cdc), deadlineIndexes{
		due: indexes.NewMulti(sb, due, "due_"+name+"s", collections.Uint64Key, key,
			func(_ deadlineKey, d types.Deadline) (uint64, error) { return d.At, nil }),
	})
}

// addOffences adds what punishments, reports and deadlines keep.
func (k *Keeper) addOffences(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) {
	k.heightDeadlines = newDeadlines(sb, cdc, types.HeightDeadlinesPrefix, types.DueHeightsPrefix, "height")
	k.timeDeadlines = newDeadlines(sb, cdc, types.TimeDeadlinesPrefix, types.DueTimesPrefix, "time")
	k.usedEvidence = collections.NewMap(sb, types.UsedEvidencePrefix, "used_evidence", collections.BytesKey, codec.CollValue[types.UsedEvidence](cdc))
	k.strikes = collections.NewMap(sb, types.StrikesPrefix, "strikes",
		collections.PairKeyCodec(collections.BytesKey, collections.StringKey), codec.CollValue[types.Strikes](cdc))
	k.deferred = collections.NewMap(sb, types.DeferredPrefix, "deferred", collections.Uint64Key, codec.CollValue[types.DeferredPunishment](cdc))
	k.nextDeferred = collections.NewSequence(sb, types.NextDeferredPrefix, "next_deferred")
	k.breaker = collections.NewItem(sb, types.BreakerPrefix, "breaker", codec.CollValue[types.Breaker](cdc))
	k.bonded = collections.NewItem(sb, types.BondedPrefix, "bonded", sdk.IntValue)
	k.barred = collections.NewKeySet(sb, types.BarredPrefix, "barred", collections.BytesKey)
	k.reports = collections.NewMap(sb, types.ReportsPrefix, "reports", collections.Uint64Key, codec.CollValue[types.Report](cdc))
	k.lastReport = collections.NewSequence(sb, types.LastReportPrefix, "last_report")
}

// addAttestations adds what attestations keep.
func (k *Keeper) addAttestations(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) {
	k.verifiers = collections.NewMap(sb, types.VerifiersPrefix, "verifiers", collections.BytesKey, codec.CollValue[types.Verifier](cdc))
	k.attestations = collections.NewIndexedMap(sb, types.AttestationsPrefix, "attestations", collections.BytesKey,
		codec.CollValue[types.Attestation](cdc), attestationIndexes{
			host: indexes.NewMulti(sb, types.AttestationsByHost, "attestations_by_host", collections.BytesKey, collections.BytesKey,
				func(_ []byte, a types.Attestation) ([]byte, error) { return a.HostId, nil }),
		})
}

// addProbers adds what probers and their panels keep.
func (k *Keeper) addProbers(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) {
	k.probers = collections.NewMap(sb, types.ProbersPrefix, "probers", collections.BytesKey, codec.CollValue[types.Prober](cdc))
	k.proberSlots = collections.NewMap(sb, types.ProberSlotsPrefix, "prober_slots", collections.Uint32Key, collections.BytesValue)
	k.proberSums = collections.NewMap(sb, types.ProberSumsPrefix, "prober_sums", collections.Uint32Key, collections.Uint64Value)
	k.panels = collections.NewMap(sb, types.PanelsPrefix, "panels", collections.Uint64Key, codec.CollValue[types.Panel](cdc))
	k.observations = collections.NewMap(sb, types.ObservationsPrefix, "observations",
		collections.TripleKeyCodec(collections.Uint64Key, collections.BytesKey, collections.Uint32Key), codec.CollValue[types.Observation](cdc))
	k.availabilities = collections.NewMap(sb, types.AvailabilitiesPrefix, "availabilities",
		collections.PairKeyCodec(collections.Uint64Key, collections.BytesKey), codec.CollValue[types.OperatorAvailability](cdc))
	k.panelDeadlines = newDeadlines(sb, cdc, types.PanelDeadlinesPrefix, types.DuePanelsPrefix, "panel")
	k.measuredFrom = collections.NewItem(sb, types.MeasuredFromPrefix, "measured_from", collections.Uint64Value)
}
