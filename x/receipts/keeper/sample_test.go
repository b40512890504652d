// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// submitted submits works of "host" in epoch 0 and goes to a block.
func submitted(t *testing.T, height int64, works ...work) (*fixture, *built, types.Batch) {
	t.Helper()
	f := newFixture(t)
	f.goTo(21)
	b := f.build("host", 0, works...)
	stored := f.submit(b)
	f.goTo(height)
	return f, b, stored
}

func TestSeedIsHashOfBeaconBlocks(t *testing.T) {
	f := newFixture(t)
	f.goTo(29)
	require.Empty(t, f.epoch(0).Seed)
	f.endBlock()
	var beacon []byte
	for height := uint64(26); height <= 29; height++ {
		hash := blockHash(height)
		beacon = append(beacon, hash[:]...)
	}
	want := sha256.Sum256(beacon)
	require.Equal(t, want[:], f.epoch(0).Seed)
	require.Equal(t, &types.EventSeedDrawn{Epoch: 0, Seed: want[:]}, lastEvent[*types.EventSeedDrawn](f))
	f.goTo(45)
	require.Len(t, events[*types.EventSeedDrawn](f), 1)
}

// A seed that was missed is drawn as soon as the hashes are there, and is the same.
func TestMissedSeedIsDrawnLater(t *testing.T) {
	f, other := newFixture(t), newFixture(t)
	f.operators.noHash = true
	f.goTo(33)
	require.Empty(t, f.epoch(0).Seed)
	f.operators.noHash = false
	f.goTo(34)
	other.goTo(34)
	require.Equal(t, other.epoch(0).Seed, f.epoch(0).Seed)
}

func TestOpenAllSamples(t *testing.T) {
	f, b, stored := submitted(t, 30, routed(model, jobs(1, 4_000_000, 1_000, 3_000_000, 7)), direct(plain, jobs(9, 5)))
	require.Equal(t, uint32(4), stored.Samples) // 7,001,012 / 1,000,000 is 2^2
	all := f.openings(b, stored)
	f.do(&types.MsgOpenSamples{Sender: all.Sender, BatchId: 1, Samples: all.Samples[1:3]})
	got := f.batch(1)
	require.Equal(t, uint32(0b0110), got.Opened)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, got.Status)
	f.refused(types.ErrSampleOpened, &types.MsgOpenSamples{Sender: all.Sender, BatchId: 1, Samples: all.Samples[:2]})
	f.operators.relayers[string(raw("relayer"))] = string(raw("op"))
	f.do(&types.MsgOpenSamples{Sender: addr("relayer"), BatchId: 1, Samples: []types.SampleOpening{all.Samples[0], all.Samples[3]}})
	got = f.batch(1)
	require.Equal(t, uint32(0b1111), got.Opened)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SAMPLED, got.Status)
	require.Equal(t, uint64(40), got.DueHeight)
	require.Equal(t, &types.EventBatchSampled{BatchId: 1, DueHeight: 40}, lastEvent[*types.EventBatchSampled](f))
	require.Len(t, events[*types.EventSampleOpened](f), 4)
	require.Equal(t, uint32(0b1111), lastEvent[*types.EventSampleOpened](f).Opened)
	f.refused(types.ErrBatchStatus, all)
	f.goTo(40)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SAMPLED, f.batch(1).Status)
	f.endBlock()
	require.Equal(t, types.BatchStatus_BATCH_STATUS_FINALISED, f.batch(1).Status)
}

func TestOpenSamplesChecks(t *testing.T) {
	for _, tc := range []struct {
		name   string
		height int64
		setup  func(f *fixture)
		spoil  func(f *fixture, m *types.MsgOpenSamples)
		want   error
	}{
		{name: "unknown batch", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.BatchId = 9 }, want: types.ErrUnknownBatch},
		{name: "stranger", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Sender = addr("op2") }, want: operatorstypes.ErrUnauthorized},
		{name: "no samples", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples = nil }, want: types.ErrInvalidRequest},
		{name: "draws fall", spoil: func(_ *fixture, m *types.MsgOpenSamples) { slices.Reverse(m.Samples) }, want: types.ErrInvalidRequest},
		{name: "record length", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[0].Record = nil }, want: types.ErrInvalidRequest},
		{name: "not drawn", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[1].Draw = 2 }, want: types.ErrBadSample},
		{name: "draw out of range", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[1].Draw = 40 }, want: types.ErrBadSample},
		{name: "no such group", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[0].Group = 2 }, want: types.ErrBadSample},
		{name: "wrong group", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[0].Group ^= 1 }, want: types.ErrBadSample},
		{name: "garbage", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[0].Opening = []byte{1} }, want: types.ErrBadSample},
		{name: "wrong path", spoil: func(_ *fixture, m *types.MsgOpenSamples) {
			o := m.Samples[0].Opening
			o[len(o)-1] ^= 1
		}, want: types.ErrBadSample},
		{name: "other record", spoil: func(_ *fixture, m *types.MsgOpenSamples) { m.Samples[0].Record[100] ^= 1 }, want: types.ErrRecordMismatch},
		{name: "no seed", setup: func(f *fixture) { f.operators.noHash = true }, want: types.ErrNoSeed},
		{name: "too late", height: 35, want: types.ErrBatchStatus},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			f.goTo(21)
			b := f.build("host", 0, routed(model, jobs(1, 500, 400)), direct(plain, jobs(9, 500)))
			stored := f.submit(b)
			if tc.setup != nil {
				tc.setup(f)
			}
			f.goTo(30)
			m := &types.MsgOpenSamples{Sender: addr("op"), BatchId: 1, Samples: []types.SampleOpening{{Record: make([]byte, receipt.Size)}}}
			if len(f.epoch(0).Seed) > 0 {
				m = f.openings(b, stored)
			}
			if tc.height > 0 {
				f.goTo(tc.height + 1) // its EndBlock has made the batch void
			}
			if tc.spoil != nil {
				tc.spoil(f, m)
			}
			f.refused(tc.want, m)
		})
	}
}

func TestOpenWindow(t *testing.T) {
	f, b, stored := submitted(t, 29, routed(model, jobs(1, 500)))
	f.refused(types.ErrOpenWindow, &types.MsgOpenSamples{
		Sender: addr("op"), BatchId: 1, Samples: []types.SampleOpening{{Record: make([]byte, receipt.Size)}},
	})
	f.goTo(35)
	f.refused(types.ErrOpenWindow, f.openings(b, stored)) // in its last block it is not yet void
}

// Each record breaks one rule and is otherwise signed and hashed as it should be.
func TestSampledRecordsKeepAllRules(t *testing.T) {
	for _, tc := range []struct {
		name string
		w    work
		rule error
	}{
		{name: "amount over max", w: spoiled(func(r *receipt.Record) { r.Auth.MaxAmount = 1 }), rule: receipt.ErrAmountOverMax},
		{name: "time order", w: spoiled(func(r *receipt.Record) { r.Auth.ExpiresAt = r.ServedAt - 1 }), rule: receipt.ErrTimeOrder},
		{name: "cached", w: spoiled(func(r *receipt.Record) { r.CachedTokens = 8 }), rule: receipt.ErrCachedOverPrompt},
		{name: "other host", w: spoiled(func(r *receipt.Record) { r.HostID[0] ^= 1 }), rule: receipt.ErrWrongHost},
		{name: "other epoch", w: spoiled(func(r *receipt.Record) { r.Epoch = 1 }), rule: receipt.ErrWrongEpoch},
		{name: "other model", w: spoiled(func(r *receipt.Record) { r.Auth.ModelID = plain }), rule: receipt.ErrWrongModel},
		{name: "other adapter", w: spoiled(func(r *receipt.Record) { r.Auth.AdapterID = adapter }), rule: receipt.ErrWrongAdapter},
		{name: "too early", w: spoiled(served(-91)), rule: receipt.ErrServedOutsideEpoch},
		{name: "too late", w: spoiled(served(20*6 - 60 + 30)), rule: receipt.ErrServedOutsideEpoch},
		{name: "not countersigned", w: spoiled(func(r *receipt.Record) { r.Countersigned = false }), rule: receipt.ErrNotCountersigned},
		{name: "other operator key", w: spoiled(func(r *receipt.Record) { r.Auth.Operator = receipt.KeyAddress(secret("host2")) }), rule: receipt.ErrBadOperatorSig},
		{
			name: "another settler's key",
			w:    work{settler: "set", payer: "payer2", model: model, jobs: jobs(1, 100)}, rule: receipt.ErrWrongSettler,
		},
		{
			name: "no gateway's key",
			w:    work{settler: "set", payer: "customer", model: model, jobs: jobs(1, 100)}, rule: receipt.ErrWrongSettler,
		},
		{
			name: "gateway's key in direct work",
			w:    work{settler: "op", payer: "payer", model: model, jobs: jobs(1, 100)}, rule: receipt.ErrWrongSettler,
		},
		{
			name: "before the key was registered",
			w: spoiled(func(r *receipt.Record) {
				served(-60 - 6 + 5)(r)
				r.Auth.IssuedAt = genesisTime + 5 // registered in block 1, at second 6
				r.ServedAt = genesisTime + 6
			}), rule: receipt.ErrWrongSettler,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, b, stored := submitted(t, 30, tc.w)
			m := f.openings(b, stored)
			before := f.export()
			_, err := f.send(m)
			require.ErrorIs(t, err, types.ErrBadRecord)
			require.ErrorContains(t, err, tc.rule.Error())
			require.Equal(t, before, f.export())
		})
	}
}

// spoiled is one routed job with a changed record.
func spoiled(change func(*receipt.Record)) work {
	w := routed(model, jobs(1, 100))
	w.change = change
	return w
}

// served moves a job by seconds.
func served(seconds int64) func(*receipt.Record) {
	return func(r *receipt.Record) {
		r.ServedAt = uint64(int64(r.ServedAt) + seconds)
		r.Auth.IssuedAt = uint64(int64(r.Auth.IssuedAt) + seconds)
		r.Auth.ExpiresAt = uint64(int64(r.Auth.ExpiresAt) + seconds)
	}
}

// The same record is good up to the clock slack at both ends of the epoch.
func TestClockSlack(t *testing.T) {
	for _, seconds := range []int64{20*6 - 60 + 29, -90} {
		w := direct(model, jobs(1, 100))
		w.change = served(seconds)
		f, b, stored := submitted(t, 30, w)
		f.do(f.openings(b, stored))
	}
}

func TestExpiredHostKey(t *testing.T) {
	f, b, stored := submitted(t, 30, routed(model, jobs(1, 100)))
	address := receipt.KeyAddress(secret("host"))
	key := f.operators.keys[address]
	key.ExpiresAt = genesisTime + 66 // served at second 66
	f.operators.keys[address] = key
	_, err := f.send(f.openings(b, stored))
	require.ErrorContains(t, err, receipt.ErrKeyNotValid.Error())
	key.ExpiresAt++
	f.operators.keys[address] = key
	f.do(f.openings(b, stored))
}

// A leaf that says more than its record is found by its sample, though tree, sums and signatures are right.
func TestInflatedLeafIsFound(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	b := f.build("host", 0, routed(model, jobs(1, 100)))
	g := &b.groups[0]
	opening, err := g.tree.Open(0)
	require.NoError(t, err)
	opening.Leaf.Amount = 5_000
	g.tree, err = sumtree.Build([]sumtree.Leaf{opening.Leaf})
	require.NoError(t, err)
	root := g.tree.Root()
	b.msg.Groups[0].AmountUusdc, b.msg.Groups[0].Root = root.Amount, root.Hash[:]
	stored := f.submit(b)
	f.goTo(30)
	f.refused(types.ErrRecordMismatch, f.openings(b, stored))
}

// Jobs that a key signed before it was removed stay payable; later ones are not its gateway's any more.
func TestRemovedKeyPaysForEarlierJobs(t *testing.T) {
	f := newFixture(t)
	f.goTo(12) // second 72; jobs are issued at second 61
	address := receipt.KeyAddress(secret("payer"))
	f.do(&types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: address[:]})
	b := f.build("host", 0, routed(model, jobs(1, 100)))
	late := spoiled(served(12)) // issued at second 73
	late.jobs = jobs(2, 100)
	lb := f.build("host", 0, late)
	f.goTo(21)
	stored, lateStored := f.submit(b), f.submit(lb)
	f.goTo(30)
	f.do(f.openings(b, stored))
	_, err := f.send(f.openings(lb, lateStored))
	require.ErrorContains(t, err, receipt.ErrWrongSettler.Error())
}
