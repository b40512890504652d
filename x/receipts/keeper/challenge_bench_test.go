// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/gpucoord/gpucoord/domain/fraud"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// widest is a batch of as many groups as there may be, in its open window, and junk of each kind against it: evidence that is read and
// checked to its end, and shows nothing.
func widest(t *testing.T) (*fixture, map[string]*types.MsgChallenge) {
	t.Helper()
	f := newFixture(t)
	var works []work
	for i := range types.MaxGroups {
		id := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		f.royalties.pricing[[2][32]byte{id, none}] = royaltiestypes.Pricing{RoyaltyCapBps: 3_000, Base: &royaltiestypes.AssetTerms{ID: id}}
		works = append(works, routed(id, jobs(uint64(3*i+1), 100, 100)))
	}
	f.goTo(21)
	b := f.build("host", 0, works...)
	f.submit(b)
	f.goTo(30)
	last := uint32(types.MaxGroups - 1)
	one, two := b.placed(f, 1, last, 0), b.placed(f, 1, last, 1)
	repeat := fraud.Repeat{A: one, B: two}
	order := fraud.Order{A: one, B: &two}
	record := fraud.Record{Placed: one, SR1: b.groups[last].records[0]}
	node := fraud.Node{BatchID: 1, Group: last, Amount: 100, Tokens: 10, OK: 1, Preimage: make([]byte, 100), Path: one.Opening.Path}
	junk := map[string]*types.MsgChallenge{}
	for name, tc := range map[string]struct {
		kind     types.ChallengeKind
		evidence []byte
		batches  []uint64
	}{
		"F1": {f1, repeat.Append(nil), nil}, "F2": {f2, record.Append(nil), nil}, "F3": {f3, node.Append(nil), nil},
		"F4": {f4, order.Append(nil), nil}, "F1 of records": {f1e, pair(b.groups[last].records[0], b.groups[last].records[1]), []uint64{1}},
	} {
		junk[name] = &types.MsgChallenge{
			Reporter: addr("watch"), ReportId: 1, Salt: reportSalt[:], Kind: tc.kind, Evidence: tc.evidence, Batches: tc.batches,
		}
	}
	return f, junk
}

// judgeJunk sends junk and forgets what it changed.
func (f *fixture) judgeJunk(m *types.MsgChallenge) (gas uint64) {
	f.t.Helper()
	commitment := operatorstypes.ReportCommitment(f.operators.domain.Salt(), [20]byte(raw("watch")), reportSalt, sha256.Sum256(m.Evidence))
	f.operators.reports[1] = report{reporter: addr("watch"), commitment: commitment}
	cached, _ := f.ctx.CacheContext()
	cached = cached.WithGasMeter(storetypes.NewGasMeter(10_000_000))
	resp, err := f.msgs.Challenge(cached, m)
	require.NoError(f.t, err)
	require.False(f.t, resp.Proven)
	return cached.GasMeter().GasConsumed()
}

// Junk pays for its bytes and for every signature that it makes the chain look at, so that a block's gas bounds it.
func TestJunkPaysItsGas(t *testing.T) {
	f, junk := widest(t)
	signatures := map[string]uint64{"F2": 3, "F1 of records": 6}
	for name, m := range junk {
		require.GreaterOrEqual(t, f.judgeJunk(m), 10*uint64(len(m.Evidence))+1_000*signatures[name], name)
	}
}

// BenchmarkChallenge judges junk against a batch of 256 groups. The promise is 1 ms of processor time beside the signatures, of which
// F2 has three and two records have six.
func BenchmarkChallenge(b *testing.B) {
	t := &testing.T{}
	f, junk := widest(t)
	for _, name := range []string{"F1", "F1 of records", "F2", "F3", "F4"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f.judgeJunk(junk[name])
			}
		})
	}
}
