// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

const (
	declared = types.EvidenceLevel_EVIDENCE_LEVEL_DECLARED
	nvml     = types.EvidenceLevel_EVIDENCE_LEVEL_NVML
)

// stand has two operators with a host each, at height 30.
func stand(t *testing.T) (f *fixture, alices, bobs []byte) {
	t.Helper()
	f = newFixture(t)
	f.operator(t, "alice", 1_000_000)
	f.operator(t, "bob", 1_000_000)
	alices, bobs = f.host(t, "alice", "a"), f.host(t, "bob", "b")
	for height := int64(25); height <= 30; height++ {
		f.begin(t, height)
	}
	f.clearEvents()
	return f, alices, bobs
}

func (f *fixture) commit(t *testing.T, sender string, host []byte, gpus ...types.GPUCommitment) {
	t.Helper()
	_, err := f.msgs.CommitGPUs(f.ctx, &types.MsgCommitGPUs{Sender: addr(sender), HostId: host, Gpus: gpus})
	require.NoError(t, err)
}

func (f *fixture) submit(t *testing.T, msg *types.MsgSubmitCapacity) uint32 {
	t.Helper()
	require.NoError(t, msg.ValidateBasic())
	resp, err := f.msgs.SubmitCapacity(f.ctx, msg)
	require.NoError(t, err)
	return resp.Accepted
}

func TestCommitGPUsReplacesTheList(t *testing.T) {
	f, alices, _ := stand(t)
	f.commit(t, "alice", alices, gpu(0, "d0"), gpu(3, "d1"))
	d0 := types.GPU{HostId: alices, Index: 0, Class: "h100-80g", MemoryMib: 81_559, DeviceHash: hash32("d0"), Level: declared, EvidenceHeight: 30}
	d1 := d0
	d1.Index, d1.DeviceHash = 3, hash32("d1")
	f.events(t, &types.EventGPUCommitted{Gpu: d0}, &types.EventGPUCommitted{Gpu: d1})
	stored := f.stored(t, alices)
	require.Equal(t, []types.GPU{d0, d1}, stored.Gpus)
	require.EqualValues(t, 2, stored.Host.Gpus)

	f.begin(t, 31)
	f.clearEvents()
	f.commit(t, "alice", alices, gpu(0, "d1"))
	moved := d1
	moved.Index = 0
	f.events(t, &types.EventGPUReleased{Gpu: d0}, &types.EventGPUCommitted{Gpu: moved})
	require.Equal(t, []types.GPU{moved}, f.stored(t, alices).Gpus, "an unchanged device keeps its evidence")
	f.end(t)

	f.commit(t, "alice", alices)
	require.Zero(t, f.stored(t, alices).Host.Gpus)
	f.end(t)
}

func TestCommitGPUsRefusals(t *testing.T) {
	f, alices, bobs := stand(t)
	f.commit(t, "bob", bobs, gpu(0, "taken"))
	tooMany := make([]types.GPUCommitment, 17)
	for i := range tooMany {
		tooMany[i] = gpu(uint32(i), string(rune('a'+i)))
	}
	small, unknown, zero, huge := gpu(0, "x"), gpu(0, "x"), gpu(0, "x"), gpu(0, "x")
	huge.MemoryMib = 1<<64 - 1
	small.MemoryMib, unknown.Class, zero.DeviceHash = 0, "tpu", make([]byte, 32)
	for name, c := range map[string]struct {
		sender string
		host   []byte
		gpus   []types.GPUCommitment
		want   error
	}{
		"taken at the same level": {"alice", alices, []types.GPUCommitment{gpu(0, "free"), gpu(1, "taken")}, types.ErrDeviceClaimed},
		"17 GPUs":                 {"alice", alices, tooMany, types.ErrTooManyGPUs},
		"indices fall":            {"alice", alices, []types.GPUCommitment{gpu(1, "x"), gpu(0, "y")}, types.ErrInvalidRequest},
		"device twice":            {"alice", alices, []types.GPUCommitment{gpu(0, "x"), gpu(1, "x")}, types.ErrInvalidRequest},
		"no such memory":          {"alice", alices, []types.GPUCommitment{huge}, types.ErrInvalidRequest},
		"no memory":               {"alice", alices, []types.GPUCommitment{small}, types.ErrInvalidRequest},
		"unknown class":           {"alice", alices, []types.GPUCommitment{unknown}, types.ErrUnknownClass},
		"zero device":             {"alice", alices, []types.GPUCommitment{zero}, types.ErrInvalidRequest},
		"another's host":          {"alice", bobs, []types.GPUCommitment{gpu(0, "x")}, types.ErrUnauthorized},
		"no host":                 {"alice", hash32("none"), []types.GPUCommitment{gpu(0, "x")}, types.ErrUnknownHost},
	} {
		t.Run(name, func(t *testing.T) {
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.CommitGPUs(ctx, &types.MsgCommitGPUs{Sender: addr(c.sender), HostId: c.host, Gpus: c.gpus})
				return err
			})
		})
	}
}

func TestSubmitCapacityByARelayer(t *testing.T) {
	f, alices, _ := stand(t)
	_, err := f.msgs.AuthoriseRelayer(f.ctx, &types.MsgAuthoriseRelayer{Operator: addr("alice"), Relayer: addr("hot"), ExpiresHeight: 99})
	require.NoError(t, err)
	f.clearEvents()
	require.EqualValues(t, 1, f.submit(t, f.statement(t, "hot", alices, "a", 28, gpu(0, "d0"))))
	d0 := types.GPU{HostId: alices, Class: "h100-80g", MemoryMib: 81_559, DeviceHash: hash32("d0"), Level: nvml, EvidenceHeight: 28}
	f.events(t, &types.EventGPUCommitted{Gpu: d0}, &types.EventCapacityAccepted{
		HostId: alices, Operator: addr("alice"), Level: nvml, Gpus: 1, NonceHeight: 28,
	})
	stored := f.stored(t, alices)
	require.Equal(t, []types.GPU{d0}, stored.Gpus)
	require.EqualValues(t, 28, stored.Host.EvidenceHeight)
	f.end(t)
}

func TestSubmitCapacityRefusals(t *testing.T) {
	f, alices, bobs := stand(t)
	for name, c := range map[string]struct {
		change func(m *types.MsgSubmitCapacity)
		want   error
	}{
		"signed by another key": {func(m *types.MsgSubmitCapacity) { f.sign(t, m, "b") }, types.ErrBadStatement},
		"turned real": {func(m *types.MsgSubmitCapacity) {
			m.Simulated = true
			f.sign(t, m, "a")
			m.Simulated = false
		}, types.ErrBadStatement},
		"memory changed":      {func(m *types.MsgSubmitCapacity) { m.Gpus[0].MemoryMib++ }, types.ErrBadStatement},
		"class changed":       {func(m *types.MsgSubmitCapacity) { m.Gpus[0].Class = "h200-141g" }, types.ErrBadStatement},
		"device changed":      {func(m *types.MsgSubmitCapacity) { m.Gpus[0].DeviceHash = hash32("other") }, types.ErrBadStatement},
		"index changed":       {func(m *types.MsgSubmitCapacity) { m.Gpus[0].Index++ }, types.ErrBadStatement},
		"another height":      {func(m *types.MsgSubmitCapacity) { m.NonceHeight = 27 }, types.ErrBadStatement},
		"garbage":             {func(m *types.MsgSubmitCapacity) { m.Signature = make([]byte, 65) }, types.ErrBadStatement},
		"future":              {func(m *types.MsgSubmitCapacity) { m.NonceHeight = 31; f.sign(t, m, "a") }, types.ErrBadNonceHeight},
		"no hash stored":      {func(m *types.MsgSubmitCapacity) { m.NonceHeight = 20; f.sign(t, m, "a") }, types.ErrNoBlockHash},
		"no GPUs":             {func(m *types.MsgSubmitCapacity) { m.Gpus = nil; f.sign(t, m, "a") }, types.ErrInvalidRequest},
		"stranger":            {func(m *types.MsgSubmitCapacity) { m.Sender = addr("bob") }, types.ErrUnauthorized},
		"host of another":     {func(m *types.MsgSubmitCapacity) { m.HostId = bobs }, types.ErrUnauthorized},
		"statement of 64 B":   {func(m *types.MsgSubmitCapacity) { m.Signature = m.Signature[1:] }, types.ErrInvalidRequest},
		"host id of 31 bytes": {func(m *types.MsgSubmitCapacity) { m.HostId = m.HostId[1:] }, types.ErrInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			msg := f.statement(t, "alice", alices, "a", 28, gpu(0, "d0"))
			c.change(msg)
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.SubmitCapacity(ctx, msg)
				return err
			})
		})
	}
}

func TestStatementIsAcceptedOnceAndFresh(t *testing.T) {
	f, alices, _ := stand(t)
	msg := f.statement(t, "alice", alices, "a", 28, gpu(0, "d0"))
	f.submit(t, msg)
	again := func(ctx context.Context) error {
		_, err := f.msgs.SubmitCapacity(ctx, msg)
		return err
	}
	f.refused(t, types.ErrBadNonceHeight, again)
	msg = f.statement(t, "alice", alices, "a", 29, gpu(0, "d0"))
	f.begin(t, 130) // 101 blocks after the nonce; 100 are allowed
	f.refused(t, types.ErrBadNonceHeight, again)
	f.begin(t, 129)
	require.NoError(t, again(f.ctx))
}

func TestExpiredKeySignsNoStatement(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	msg := f.registerHost(t, "alice", "a")
	msg.KeyExpiresAt = 1_800_000_024 // the time of block 4
	resp, err := f.msgs.RegisterHost(f.ctx, msg)
	require.NoError(t, err)
	f.begin(t, 3)
	f.submit(t, f.statement(t, "alice", resp.HostId, "a", 3, gpu(0, "d0")))
	f.begin(t, 4)
	f.refused(t, types.ErrKeyExpired, func(ctx context.Context) error {
		_, err := f.msgs.SubmitCapacity(ctx, f.statement(t, "alice", resp.HostId, "a", 4, gpu(0, "d0")))
		return err
	})
}

func TestRetiredKeySignsNoStatement(t *testing.T) {
	f, alices, _ := stand(t)
	proof := f.keyProof(t, "alice", "new")
	_, err := f.msgs.RegisterHostKey(f.ctx, &types.MsgRegisterHostKey{
		Operator: addr("alice"), HostId: alices, PublicKey: key("new").PubKey().SerializeCompressed(), KeyProof: proof[:],
	})
	require.NoError(t, err)
	f.refused(t, types.ErrBadStatement, func(ctx context.Context) error {
		_, err := f.msgs.SubmitCapacity(ctx, f.statement(t, "alice", alices, "a", 29, gpu(0, "d0")))
		return err
	})
	require.EqualValues(t, 1, f.submit(t, f.statement(t, "alice", alices, "new", 29, gpu(0, "d0"))))
}

func TestBetterClaimEvicts(t *testing.T) {
	f, alices, bobs := stand(t)
	f.commit(t, "alice", alices, gpu(0, "d0"), gpu(1, "d1"))
	lost := f.stored(t, alices).Gpus[1]
	f.clearEvents()
	require.EqualValues(t, 1, f.submit(t, f.statement(t, "bob", bobs, "b", 29, gpu(5, "d1"))))
	won := types.GPU{
		HostId: bobs, Index: 5, Class: "h100-80g", MemoryMib: 81_559, DeviceHash: hash32("d1"), Level: nvml, EvidenceHeight: 29,
	}
	f.events(t,
		&types.EventGPUReleased{Gpu: lost, EvictedBy: bobs},
		&types.EventGPUCommitted{Gpu: won},
		&types.EventCapacityAccepted{HostId: bobs, Operator: addr("bob"), Level: nvml, Gpus: 1, NonceHeight: 29})
	require.EqualValues(t, 1, f.stored(t, alices).Host.Gpus)
	require.Len(t, f.stored(t, alices).Gpus, 1)
	require.EqualValues(t, 1_000_000, f.get(t, "alice").BondUltai, "eviction is no offence")
	f.end(t)

	// The same level does not take it back: it is left out of a statement and refused in a commitment.
	require.EqualValues(t, 1, f.submit(t, f.statement(t, "alice", alices, "a", 30, gpu(0, "d0"), gpu(1, "d1"))))
	require.Equal(t, won, f.stored(t, bobs).Gpus[0])
	require.Len(t, f.stored(t, alices).Gpus, 1)
	f.refused(t, types.ErrDeviceClaimed, func(ctx context.Context) error {
		_, err := f.msgs.CommitGPUs(ctx, &types.MsgCommitGPUs{Sender: addr("alice"), HostId: alices, Gpus: []types.GPUCommitment{gpu(1, "d1")}})
		return err
	})
	f.end(t)
}

func TestSimulatedClaimEvictsNoRealOne(t *testing.T) {
	f, alices, bobs := stand(t)
	f.commit(t, "alice", alices, gpu(0, "d0"))
	msg := f.statement(t, "bob", bobs, "b", 29, gpu(0, "d0"), gpu(1, "mock"))
	msg.Simulated = true
	f.sign(t, msg, "b")
	require.EqualValues(t, 1, f.submit(t, msg))
	require.Len(t, f.stored(t, alices).Gpus, 1)
	require.True(t, f.stored(t, bobs).Host.Simulated)
	require.True(t, f.stored(t, bobs).Gpus[0].Simulated)
	require.Equal(t, hash32("mock"), f.stored(t, bobs).Gpus[0].DeviceHash)
	f.end(t)
}

func TestRealClaimEvictsASimulatedOneOfItsLevel(t *testing.T) {
	f, alices, bobs := stand(t)
	mock := f.statement(t, "alice", alices, "a", 28, gpu(0, "d0"), gpu(1, "d1"))
	mock.Simulated = true
	f.sign(t, mock, "a")
	require.EqualValues(t, 2, f.submit(t, mock))
	lost := f.stored(t, alices).Gpus[0]

	// A bare declaration is worse proven than a simulated statement, and a simulated statement no better.
	f.refused(t, types.ErrDeviceClaimed, func(ctx context.Context) error {
		_, err := f.msgs.CommitGPUs(ctx, &types.MsgCommitGPUs{Sender: addr("bob"), HostId: bobs, Gpus: []types.GPUCommitment{gpu(0, "d0")}})
		return err
	})
	again := f.statement(t, "bob", bobs, "b", 28, gpu(0, "d0"))
	again.Simulated = true
	f.sign(t, again, "b")
	require.Zero(t, f.submit(t, again))

	f.clearEvents()
	require.EqualValues(t, 1, f.submit(t, f.statement(t, "bob", bobs, "b", 29, gpu(0, "d0"))))
	won := f.stored(t, bobs).Gpus[0]
	require.False(t, won.Simulated)
	f.events(t,
		&types.EventGPUReleased{Gpu: lost, EvictedBy: bobs},
		&types.EventGPUCommitted{Gpu: won},
		&types.EventCapacityAccepted{HostId: bobs, Operator: addr("bob"), Level: nvml, Gpus: 1, NonceHeight: 29})
	f.end(t)

	// It does not come back by another simulation; the device that nobody else claimed stays.
	mock = f.statement(t, "alice", alices, "a", 30, gpu(0, "d0"), gpu(1, "d1"))
	mock.Simulated = true
	f.sign(t, mock, "a")
	require.EqualValues(t, 1, f.submit(t, mock))
	require.Equal(t, won, f.stored(t, bobs).Gpus[0])
	f.end(t)
}

func TestStaleEvidenceStandsAsADeclaration(t *testing.T) {
	f, alices, bobs := stand(t)
	f.submit(t, f.statement(t, "alice", alices, "a", 30, gpu(0, "d0")))
	f.begin(t, 14_429) // one block before the evidence counts nothing
	require.Zero(t, f.submit(t, f.statement(t, "bob", bobs, "b", 14_429, gpu(0, "d0"))))
	f.begin(t, 14_430)
	require.EqualValues(t, 1, f.submit(t, f.statement(t, "bob", bobs, "b", 14_430, gpu(0, "d0"))))
	require.Empty(t, f.stored(t, alices).Gpus)
	f.end(t)
}

func TestCommitmentKeepsProvenDevices(t *testing.T) {
	f, alices, _ := stand(t)
	f.submit(t, f.statement(t, "alice", alices, "a", 29, gpu(0, "d0"), gpu(1, "d1")))
	changed := gpu(1, "d1")
	changed.Class = "h200-141g"
	f.commit(t, "alice", alices, gpu(0, "d0"), changed, gpu(2, "d2"))
	gpus := f.stored(t, alices).Gpus
	levels := []types.EvidenceLevel{gpus[0].Level, gpus[1].Level, gpus[2].Level}
	require.Equal(t, []types.EvidenceLevel{nvml, declared, declared}, levels)
	require.Equal(t, []uint64{29, 30, 30}, []uint64{gpus[0].EvidenceHeight, gpus[1].EvidenceHeight, gpus[2].EvidenceHeight})
	f.end(t)
}

func TestCapacityCountsByTheLadder(t *testing.T) {
	f, alices, _ := stand(t)
	second := f.host(t, "alice", "a2")
	l40s := types.GPUCommitment{Index: 1, Class: "l40s-48g", MemoryMib: 46_068, DeviceHash: hash32("l40s")}
	f.submit(t, f.statement(t, "alice", alices, "a", 30, gpu(0, "h100"), l40s))
	mock := f.statement(t, "alice", second, "a2", 30, gpu(0, "mock"))
	mock.Simulated = true
	f.sign(t, mock, "a2")
	f.submit(t, mock)

	capacity, err := f.k.Capacity(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.Equal(t, types.Capacity{TokensPerSecond: 23_300, GPUs: 3, Simulated: 1}, capacity, "L1 is a declaration: no VCU")

	params := types.DefaultParams()
	params.LadderBps = []uint64{0, 5_000, 8_000, 9_000, 10_000}
	_, err = f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	capacity, err = f.k.Capacity(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.EqualValues(t, 665, capacity.MilliVCU, "half of 1.000 and 0.330 VCU; the simulated H100 counts nothing")

	f.begin(t, 30+9_000) // half way from full to no weight
	capacity, err = f.k.Capacity(f.ctx, raw("alice"))
	require.NoError(t, err)
	require.EqualValues(t, 332, capacity.MilliVCU)
	_, err = f.k.Capacity(f.ctx, raw("carol"))
	require.ErrorIs(t, err, types.ErrUnknownOperator)
}

func TestTokenCeiling(t *testing.T) {
	f, alices, _ := stand(t)
	ceiling := func() uint64 {
		c, err := f.k.TokenCeiling(f.ctx, [32]byte(alices))
		require.NoError(t, err)
		return c
	}
	// 20 blocks of 6 s, twice the class throughput.
	require.EqualValues(t, 3_000*120*2, ceiling(), "no devices: the slowest class once")
	f.commit(t, "alice", alices, gpu(0, "d0"), gpu(1, "d1"))
	require.EqualValues(t, 2*3_000*120*2, ceiling(), "an unproven H100 counts as the slowest class of its memory")
	tiny := gpu(0, "d0")
	tiny.MemoryMib = 1
	f.commit(t, "alice", alices, tiny)
	require.EqualValues(t, 3_000*120*2, ceiling(), "no class so small: the slowest of all")

	params := types.DefaultParams()
	params.GpuClasses = []*types.GPUClass{
		{Name: "big", VcuPpm: 1, MemoryMib: 1_000, TokensPerSecond: 7, SlaTtftMs: 1},
		{Name: "small", VcuPpm: 1, MemoryMib: 10, TokensPerSecond: 9, SlaTtftMs: 1},
	}
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	f.commit(t, "alice", alices, types.GPUCommitment{Class: "small", MemoryMib: 999, DeviceHash: hash32("d0")})
	require.EqualValues(t, 9*120*2, ceiling(), "the slowest class that fits, though a larger one is slower")
	_, err = f.k.TokenCeiling(f.ctx, [32]byte(hash32("none")))
	require.ErrorIs(t, err, types.ErrUnknownHost)
}

func TestDomainIsTheChains(t *testing.T) {
	f := newFixture(t)
	domain, err := f.k.ReceiptDomain(f.ctx)
	require.NoError(t, err)
	require.Equal(t, receipt.NewDomain(chainID, 8_453), domain)
}
