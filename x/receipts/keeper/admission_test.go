// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// batchOfTwo is what the admission tests begin with: a routed group of two jobs and a direct one of one job, in the order of their keys.
func batchOfTwo(f *fixture) *types.MsgSubmitBatch {
	return f.build("host", 0, routed(model, jobs(5, 600, 400)), direct(plain, jobs(7, 100))).msg
}

// routedGroup returns the position of the group with two jobs.
func routedGroup(m *types.MsgSubmitBatch) *types.Group {
	for i := range m.Groups {
		if m.Groups[i].Count == 2 {
			return &m.Groups[i]
		}
	}
	return nil
}

func TestSubmitBatchChecks(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setup func(f *fixture)
		spoil func(m *types.MsgSubmitBatch)
		want  error
	}{
		{name: "host key length", spoil: func(m *types.MsgSubmitBatch) { m.HostKey = m.HostKey[1:] }, want: types.ErrInvalidRequest},
		{name: "unknown host key", spoil: func(m *types.MsgSubmitBatch) { m.HostKey = raw("nobody") }, want: operatorstypes.ErrUnknownHostKey},
		{name: "stranger", spoil: func(m *types.MsgSubmitBatch) { m.Sender = addr("stranger") }, want: operatorstypes.ErrUnauthorized},
		{name: "bad sender", spoil: func(m *types.MsgSubmitBatch) { m.Sender = "x" }, want: types.ErrInvalidAddress},
		{name: "epoch in the future", spoil: func(m *types.MsgSubmitBatch) { m.Epoch = 1 }, want: types.ErrSubmitWindow},
		{name: "epoch beyond all heights", spoil: func(m *types.MsgSubmitBatch) { m.Epoch = math.MaxUint64 }, want: types.ErrSubmitWindow},
		{name: "after the window", setup: func(f *fixture) { f.goTo(26) }, want: types.ErrSubmitWindow},
		{
			name:  "loss",
			setup: func(f *fixture) { f.do(&types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("host"), Epoch: 0}) },
			want:  types.ErrLossDeclared,
		},
		{name: "no groups", spoil: func(m *types.MsgSubmitBatch) { m.Groups = nil }, want: types.ErrGroupCount},
		{name: "too many groups", setup: func(f *fixture) { f.pin(func(p *types.Params) { p.MaxGroups = 1 }) }, want: types.ErrGroupCount},
		{name: "settler length", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].Settler = nil }, want: types.ErrInvalidRequest},
		{name: "model length", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].ModelId = nil }, want: types.ErrInvalidRequest},
		{name: "adapter length", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].AdapterId = nil }, want: types.ErrInvalidRequest},
		{name: "root length", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].Root = nil }, want: types.ErrInvalidRequest},
		{name: "left length", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].Left = []byte{1} }, want: types.ErrInvalidRequest},
		{name: "empty group", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].Count = 0 }, want: types.ErrEmptyGroup},
		{name: "seqs fall", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].FirstSeq = m.Groups[0].LastSeq + 1 }, want: types.ErrSeqRange},
		{name: "seqs too few", spoil: func(m *types.MsgSubmitBatch) { routedGroup(m).LastSeq-- }, want: types.ErrSeqRange},
		{name: "outcomes", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].Fail = 2 }, want: types.ErrOutcomeCount},
		{name: "top", spoil: func(m *types.MsgSubmitBatch) { routedGroup(m).Left[0] ^= 1 }, want: types.ErrBadTop},
		{name: "no top", spoil: func(m *types.MsgSubmitBatch) { routedGroup(m).Left = nil }, want: types.ErrBadTop},
		{name: "sums above the top", spoil: func(m *types.MsgSubmitBatch) { routedGroup(m).AmountUusdc++ }, want: types.ErrBadTop},
		{name: "order", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0], m.Groups[1] = m.Groups[1], m.Groups[0] }, want: types.ErrGroupOrder},
		{name: "twice", spoil: func(m *types.MsgSubmitBatch) { m.Groups[1] = m.Groups[0] }, want: types.ErrGroupOrder},
		{name: "watermark", setup: func(f *fixture) { f.submit(f.build("host", 0, routed(plain, jobs(5, 10)))) }, want: types.ErrWatermark},
		{
			name:  "unknown model",
			setup: func(f *fixture) { delete(f.royalties.pricing, [2][32]byte{model, none}) },
			want:  royaltiestypes.ErrUnknownAsset,
		},
		{
			name:  "taken down",
			setup: func(f *fixture) { f.royalties.refuse[plain] = royaltiestypes.ErrTakenDown },
			want:  royaltiestypes.ErrTakenDown,
		},
		{name: "too cheap", setup: func(f *fixture) { f.pin(func(p *types.Params) { p.MinJobAmountUusdc = 501 }) }, want: types.ErrMinJobAmount},
		{
			name:  "price of jobs overflows",
			setup: func(f *fixture) { f.pin(func(p *types.Params) { p.MinJobAmountUusdc = math.MaxUint64 }) },
			want:  types.ErrMinJobAmount,
		},
		{name: "tokens", setup: func(f *fixture) { f.operators.ceiling = 29 }, want: types.ErrTokenCeiling},
		{name: "cover", setup: func(f *fixture) { f.operators.cover = 20*1_100 - 1 }, want: types.ErrCover},
		{name: "unknown settler", spoil: func(m *types.MsgSubmitBatch) { m.Groups[0].Settler = make([]byte, 20) }, want: types.ErrUnknownSettler},
		{name: "DA text", spoil: func(m *types.MsgSubmitBatch) { m.DaUri = "a\x07" }, want: types.ErrBadDA},
		{name: "DA length", spoil: func(m *types.MsgSubmitBatch) { m.DaUri = strings.Repeat("x", 257) }, want: types.ErrBadDA},
		{name: "DA hash", spoil: func(m *types.MsgSubmitBatch) { m.DaSha256 = nil }, want: types.ErrBadDA},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			f.goTo(21)
			if tc.setup != nil {
				tc.setup(f)
			}
			m := batchOfTwo(f)
			if tc.spoil != nil {
				tc.spoil(m)
			}
			f.refused(tc.want, m)
		})
	}
}

// Without ValidateBasic the keeper refuses the same malformed messages instead of reading beyond their fields.
func TestKeeperRefusesMalformedBatch(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	for _, spoil := range []func(m *types.MsgSubmitBatch){
		func(m *types.MsgSubmitBatch) { m.HostKey = nil },
		func(m *types.MsgSubmitBatch) { m.Groups[0].Settler = nil },
		func(m *types.MsgSubmitBatch) { m.Groups[0].Root = nil },
		func(m *types.MsgSubmitBatch) { m.Groups = nil },
		func(m *types.MsgSubmitBatch) { m.DaSha256 = nil },
	} {
		m := batchOfTwo(f)
		spoil(m)
		_, err := f.k.SubmitBatch(f.ctx, raw("op"), m)
		require.True(t, errors.Is(err, types.ErrInvalidRequest) || errors.Is(err, types.ErrGroupCount) || errors.Is(err, types.ErrBadDA), "%v", err)
	}
}

func TestWrongSettlers(t *testing.T) {
	f := newFixture(t)
	f.do(&types.MsgRegisterSettler{Settler: addr("op2"), Class: types.Class_CLASS_DIRECT})
	f.goTo(21)
	other := direct(plain, jobs(1, 10))
	other.settler = "op2"
	f.refused(types.ErrWrongSettler, f.build("host", 0, other).msg) // another operator's account

	f.addOperator("set", "set") // registered after it became a gateway's settler
	f.addHost("host3", "set")
	f.refused(types.ErrWrongSettler, f.build("host3", 0, routed(plain, jobs(1, 10))).msg)
	f.submit(f.build("host", 0, routed(plain, jobs(1, 10)))) // another operator's work is not concerned
}

func TestErrorsTellWhatIsMissing(t *testing.T) {
	f := newFixture(t)
	f.operators.cover = 19_000
	_, err := f.send(f.build("host", 0, routed(plain, jobs(1, 1_000))).msg)
	require.ErrorContains(t, err, "epoch 0: blocks 21 to 25, this is 1")
	f.goTo(21)
	_, err = f.send(f.build("host", 0, routed(plain, jobs(1, 1_000))).msg)
	require.ErrorContains(t, err, "1000uusdc are missing")
}

func TestSubmittedBatch(t *testing.T) {
	f := newFixture(t)
	f.operators.relayers[string(raw("relayer"))] = string(raw("op"))
	f.goTo(21)
	m := f.build("host", 0, routed(model, jobs(5, 600, 400)), routed(plain, jobs(6, 50)), direct(plain, jobs(7, 100)))
	m.msg.Sender = addr("relayer")
	b := f.submit(m)

	require.Equal(t, uint64(1), b.Id)
	require.Equal(t, addr("op"), b.Operator)
	require.Equal(t, addr("relayer"), b.Sender)
	require.Equal(t, types.BatchStatus_BATCH_STATUS_SUBMITTED, b.Status)
	require.Equal(t, uint64(35), b.DueHeight) // the block after the open window
	require.Equal(t, []uint64{4, 1_150, 40}, []uint64{b.Count, b.AmountUusdc, b.Tokens})
	require.Equal(t, uint32(2), b.Samples)
	require.Equal(t, uint64(1), f.epoch(0).OpenBatches)
	// routed: 100 + 50 of 1,000 and 5 of 50; direct: 10 of 100.
	require.Equal(t, uint64(155), f.settler("set").LockedUusdc)
	require.Equal(t, uint64(10), f.settler("op").LockedUusdc)
	event := lastEvent[*types.EventBatchSubmitted](f).Batch
	require.Empty(t, event.OpenedLeaves)
	event.OpenedLeaves = nil
	require.Equal(t, b, event)

	claims, err := f.query.OpenClaims(f.ctx, &types.QueryOpenClaimsRequest{Operator: addr("op")})
	require.NoError(t, err)
	require.Equal(t, types.OpenClaims{Operator: addr("op"), AmountUusdc: 1_150, Batches: 1}, claims.OpenClaims)
	require.Equal(t, uint64(1<<50)/20-1_150, claims.ClaimableUusdc)
}

// Groups of one settler may interleave; the watermark is the highest seq of them, and each settler has its own.
func TestWatermarks(t *testing.T) {
	f := newFixture(t)
	f.goTo(21)
	f.submit(f.build("host", 0, routed(model, []job{{seq: 5, amount: 1}, {seq: 9, amount: 1}}), routed(plain, jobs(6, 1))))
	f.refused(types.ErrWatermark, f.build("host", 0, routed(plain, jobs(9, 1))).msg)
	f.submit(f.build("host", 0, direct(plain, jobs(3, 1))))
	f.submit(f.build("host", 0, routed(plain, jobs(10, 1))))
	f.submit(f.build("host2", 0, routed(plain, jobs(1, 1)))) // another key

	key := f.build("host", 0, routed(plain, jobs(1, 1))).msg.HostKey
	resp, err := f.query.Watermarks(f.ctx, &types.QueryWatermarksRequest{HostKey: hexOf(key)})
	require.NoError(t, err)
	require.Equal(t, uint64(10), resp.Highest)
	bySettler := map[string]uint64{}
	for _, w := range resp.Watermarks {
		bySettler[w.Settler] = w.Seq
	}
	require.Equal(t, map[string]uint64{addr("set"): 10, addr("op"): 3}, bySettler)
}

// Tokens and cover add up over the batches of a host and of an operator.
func TestCeilingAndCoverAddUp(t *testing.T) {
	f := newFixture(t)
	f.operators.ceiling, f.operators.cover = 25, 20*100
	f.goTo(21)
	f.submit(f.build("host", 0, routed(plain, jobs(1, 30, 30)))) // 20 tokens, 60 uusdc
	f.refused(types.ErrTokenCeiling, f.build("host", 0, routed(plain, jobs(3, 1))).msg)
	f.operators.ceiling = 30
	f.refused(types.ErrCover, f.build("host", 0, routed(plain, jobs(3, 41))).msg)
	f.submit(f.build("host", 0, routed(plain, jobs(3, 40))))
}

func TestSampleCountFollowsReputation(t *testing.T) {
	f := newFixture(t)
	nine := append(make([]uint64, 8), 10)
	samples := func(e, first uint64) uint32 {
		return f.submit(f.build("host", e, routed(plain, jobs(first, nine...)))).Samples
	}
	f.goTo(21)
	f.operators.repEpoch = 1
	f.operators.reputation = 399_999
	require.Equal(t, uint32(6), samples(0, 1))
	f.operators.reputation = 400_000
	require.Equal(t, uint32(2), samples(0, 20))
	// A reputation of 810,000 is worth 405,000 after its half-life of 45 epochs, and less than 400,000 after 46.
	f.operators.reputation = 810_000
	f.goTo(20*46 + 1)
	require.Equal(t, uint32(2), samples(45, 40))
	f.goTo(20*47 + 1)
	require.Equal(t, uint32(6), samples(46, 60))
}

func TestDeclareLoss(t *testing.T) {
	f := newFixture(t)
	f.refused(operatorstypes.ErrUnknownHost, &types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("nobody")})
	f.refused(operatorstypes.ErrUnauthorized, &types.MsgDeclareLoss{Sender: addr("op2"), HostId: hostID("host")})
	f.refused(types.ErrSubmitWindow, &types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("host"), Epoch: 1})
	f.do(&types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("host")})
	require.Equal(t, types.Loss{HostId: hostID("host")}, lastEvent[*types.EventLossDeclared](f).Loss)
	f.refused(types.ErrLossDeclared, &types.MsgDeclareLoss{Sender: addr("op"), HostId: hostID("host")})
	f.goTo(26)
	f.refused(types.ErrSubmitWindow, &types.MsgDeclareLoss{Sender: addr("op2"), HostId: hostID("host2")})
}
