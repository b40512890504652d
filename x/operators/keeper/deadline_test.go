// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// beginAt begins a block at a height and a time.
func (f *fixture) beginAt(t *testing.T, height int64, unix uint64) {
	t.Helper()
	hash := blockHash(height)
	f.ctx = f.ctx.WithBlockHeight(height).WithBlockTime(time.Unix(int64(unix), 0)). //nolint:gosec // a time of this century
											WithHeaderHash(hash[:]).WithEventManager(sdk.NewEventManager())
	require.NoError(t, f.k.BeginBlock(f.ctx))
}

// deadlines counts the entries of a kind.
func (f *fixture) deadlines(t *testing.T, kind types.DeadlineKind) int {
	t.Helper()
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	count := 0
	for _, d := range gs.Deadlines {
		if d.Kind == kind {
			count++
		}
	}
	return count
}

// dues makes three deadlines of each kind, by the ways that make them, and says at which height and time they are due.
func dues() map[types.DeadlineKind]func(t *testing.T, f *fixture) (height int64, unix uint64) {
	return map[types.DeadlineKind]func(t *testing.T, f *fixture) (int64, uint64){
		types.DeadlineKind_DEADLINE_KIND_REPORT: func(t *testing.T, f *fixture) (int64, uint64) {
			for range 3 {
				_, err := f.msgs.CommitReport(f.ctx, &types.MsgCommitReport{Reporter: addr("carol"), Commitment: hash32("c")})
				require.NoError(t, err)
			}
			return 110, f.now()
		},
		types.DeadlineKind_DEADLINE_KIND_DEFERRED: func(t *testing.T, f *fixture) (int64, uint64) {
			for range 3 {
				p, err := f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceReservedRefusal, Operator: raw("alice")})
				require.NoError(t, err)
				require.True(t, p.Deferred)
			}
			return 150, f.now()
		},
		types.DeadlineKind_DEADLINE_KIND_EVIDENCE: func(t *testing.T, f *fixture) (int64, uint64) {
			for _, e := range []string{"e", "f", "g"} {
				f.punish(t, types.OffenceStaleAttestation, e)
			}
			return 211, f.now()
		},
		types.DeadlineKind_DEADLINE_KIND_ATTESTATION: func(t *testing.T, f *fixture) (int64, uint64) {
			for i := range 3 {
				msg := f.proof(t, "root", types.StatementRaw, func(s *types.Statement) { s.Subject[0] = byte(i) })
				f.accepted(t, msg, "vera", "viktor")
			}
			return 11, f.now() + 600 + 1
		},
		types.DeadlineKind_DEADLINE_KIND_VERIFIER: func(t *testing.T, f *fixture) (int64, uint64) {
			_, err := f.msgs.RegisterVerifier(f.ctx, &types.MsgRegisterVerifier{Verifier: addr("erin"), Moniker: "erin", BondUltai: 10_000_000})
			require.NoError(t, err)
			for _, name := range []string{"vera", "viktor", "erin"} {
				resp, err := f.msgs.LeaveVerifiers(f.ctx, &types.MsgLeaveVerifiers{Verifier: addr(name)})
				require.NoError(t, err)
				require.Equal(t, f.now()+1_300, resp.ReleaseAt)
			}
			return 11, f.now() + 1_300
		},
		types.DeadlineKind_DEADLINE_KIND_PROBER: func(t *testing.T, f *fixture) (int64, uint64) {
			for _, name := range []string{"p1", "p2", "p3"} {
				f.prober(t, name, 10_000_000)
				resp, err := f.msgs.UnbondProber(f.ctx, &types.MsgUnbondProber{Prober: addr(name)})
				require.NoError(t, err)
				require.EqualValues(t, 210, resp.ReleaseHeight)
			}
			return 210, f.now()
		},
		types.DeadlineKind_DEADLINE_KIND_PANEL: func(t *testing.T, f *fixture) (int64, uint64) {
			f.prober(t, "p1", 10_000_000)
			for _, first := range []int64{21, 41, 61} { // each concludes 12 blocks after its epoch
				f.begin(t, first)
			}
			for _, at := range []int64{72 - 20, 72, 92} {
				f.begin(t, at)
				f.end(t)
			}
			_, err := f.msgs.UnbondProber(f.ctx, &types.MsgUnbondProber{Prober: addr("p1")})
			require.NoError(t, err)
			for e := uint64(1); e <= 3; e++ {
				p, err := f.k.Panel(f.ctx, e)
				require.NoError(t, err)
				require.Equal(t, types.PanelState_PANEL_STATE_CONCLUDED, p.State)
			}
			f.begin(t, 292)
			f.end(t)
			// Forgotten together below: the deadlines of the three are made one.
			return f.alignPanels(t), f.now()
		},
	}
}

// Every kind of deadline that state can hold has an executor, which does nothing too early and no more than its cap in a block.
func TestEveryDeadlineIsExecutedWithinItsCap(t *testing.T) {
	kinds := dues()
	require.Len(t, kinds, len(types.DeadlineKind_name)-1, "all but the unspecified one")
	for kind, made := range kinds {
		t.Run(kind.String(), func(t *testing.T) {
			f, _ := attested(t)
			f.params(t, func(p *types.Params) { p.MaxDeadlinesPerBlock = 2 })
			height, unix := made(t, f)
			require.Equal(t, 3, f.deadlines(t, kind))
			money := f.bank.of(types.ModuleName)
			early := [2]uint64{uint64(height) - 1, unix} //nolint:gosec // positive
			if kind.Timed() {
				early = [2]uint64{uint64(height), unix - 1} //nolint:gosec // positive
			}
			f.beginAt(t, int64(early[0]), early[1]) //nolint:gosec // a height
			f.end(t)
			require.Equal(t, 3, f.deadlines(t, kind), "not yet")
			require.Equal(t, money, f.bank.of(types.ModuleName))

			f.beginAt(t, height+1, unix)
			f.end(t)
			left := f.deadlines(t, kind)
			if kind == types.DeadlineKind_DEADLINE_KIND_ATTESTATION {
				left -= 2 // demoted, they wait for their challenge window
			}
			require.Equal(t, 1, left, "two in a block")
			f.beginAt(t, height+2, unix)
			f.end(t)
			if kind == types.DeadlineKind_DEADLINE_KIND_ATTESTATION {
				require.Equal(t, 3, f.deadlines(t, kind))
				require.Empty(t, f.claims(t, f.firstHost()))
				f.beginAt(t, height+3, unix+300)
				f.end(t)
				f.beginAt(t, height+4, unix+300)
				f.end(t)
			}
			require.Zero(t, f.deadlines(t, kind))
			gs, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			require.Empty(t, gs.Attestations)
			require.Empty(t, gs.Reports)
			require.Empty(t, gs.DeferredPunishments)
			require.Empty(t, gs.UsedEvidence)
			for _, v := range gs.Verifiers {
				require.Equal(t, types.VerifierStatus_VERIFIER_STATUS_ACTIVE, v.Status)
			}
		})
	}
}

// firstHost is alice's.
func (f *fixture) firstHost() []byte {
	id := types.HostID([20]byte(raw("alice")), 0)
	return id[:]
}

// What fails, or panics, waits and does not hold up the rest.
func TestFailedDeadlinesWait(t *testing.T) {
	for name, spoil := range map[string]func(*bank, string){
		"bank refuses": func(b *bank, who string) { b.refuses = who },
		"bank panics":  func(b *bank, who string) { b.panics = who },
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := attested(t)
			for _, reporter := range []string{"carol", "dave"} {
				_, err := f.msgs.CommitReport(f.ctx, &types.MsgCommitReport{Reporter: addr(reporter), Commitment: hash32("c")})
				require.NoError(t, err)
			}
			spoil(f.bank, string(raw("carol")))
			f.begin(t, 110)
			f.end(t)
			require.EqualValues(t, purse, f.bank.balances[string(raw("dave"))])
			require.EqualValues(t, purse-1_000_000, f.bank.balances[string(raw("carol"))])
			event, err := sdk.TypedEventToEvent(&types.EventDeadlinePostponed{Deadline: types.Deadline{
				Kind: types.DeadlineKind_DEADLINE_KIND_REPORT, Id: types.NumberID(1), At: 210,
			}})
			require.NoError(t, err)
			require.Contains(t, f.ctx.EventManager().Events(), event)
			spoil(f.bank, "")
			f.begin(t, 210)
			f.end(t)
			require.EqualValues(t, purse, f.bank.balances[string(raw("carol"))])
		})
	}
}
