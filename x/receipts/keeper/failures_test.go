// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	chainlog "github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// row is a row of fails jobs with some root.
func row(operator, settler string, fails uint64) types.FailureRow {
	return types.FailureRow{Operator: addr(operator), Settler: addr(settler), Fails: fails, Root: make([]byte, 32)}
}

// failuresOf is a report for epoch 0, its rows in order.
func failuresOf(gateway string, rows ...types.FailureRow) *types.MsgReportFailures {
	slices.SortFunc(rows, func(a, b types.FailureRow) int {
		return bytes.Compare(slices.Concat(bytesOf(a.Operator), bytesOf(a.Settler)), slices.Concat(bytesOf(b.Operator), bytesOf(b.Settler)))
	})
	return &types.MsgReportFailures{Gateway: addr(gateway), Rows: rows}
}

func bytesOf(address string) []byte {
	b, err := addresses.StringToBytes(address)
	if err != nil {
		panic(err)
	}
	return b
}

// accreditedGateways is a fixture in block 21 whose gateways gw and gw2 are accredited; gw2 has the settler set2.
func accreditedGateways(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.pay("gw2", 1_000_000)
	f.do(&types.MsgRegisterGateway{Gateway: addr("gw2"), Moniker: "second", BondUusdc: 1_000_000})
	f.addSettler("set2", "gw2", types.Class_CLASS_ROUTED, false, "payer3")
	f.deposit("set2", 1_000_000)
	for _, gateway := range []string{"gw", "gw2"} {
		f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr(gateway), Accredited: true})
	}
	f.goTo(21)
	return f
}

// fails returns how many failures of "op" count for a settler in epoch 0.
func (f *fixture) fails(settler string) uint64 {
	f.t.Helper()
	_, fail, err := f.k.SuccessCounts(f.ctx, raw("op"), raw(settler), types.Class_CLASS_ROUTED, 0, 0)
	require.NoError(f.t, err)
	return fail
}

// work of both gateways on "op" is settled; the fixture is in block 41.
func (f *fixture) settleBoth(settlers ...string) {
	f.t.Helper()
	payers := map[string]string{"set": "payer", "set2": "payer3"}
	var works []work
	for _, settler := range settlers {
		works = append(works, work{settler: settler, payer: payers[settler], model: plain, jobs: append(jobs(1, 100), job{seq: 2, failed: true})})
	}
	f.settle("host", works...)
}

// With one gateway its reports count in full, besides the failures that have receipts.
func TestReportedFailuresCount(t *testing.T) {
	f := accreditedGateways(t)
	m := failuresOf("gw", row("op", "set", 30), row("op2", "set", 5))
	f.do(m)
	require.Equal(t, &types.EventFailuresReported{Failures: types.Failures{Gateway: addr("gw"), Row: m.Rows[1]}}, lastEvent[*types.EventFailuresReported](f))
	f.settleBoth("set")
	require.Equal(t, uint64(31), f.fails("set"))
	require.Zero(t, f.fails("paying")) // who paid nothing
	resp, err := f.query.Failures(f.ctx, &types.QueryFailuresRequest{})
	require.NoError(t, err)
	require.Len(t, resp.Failures, 2)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

// One of several gateways counts for at most half of what the others' reports and the operator's receipts show.
func TestOneGatewayCountsAThird(t *testing.T) {
	f := accreditedGateways(t)
	f.do(failuresOf("gw", row("op", "set", 80), row("op", "paying", 10)))
	f.do(failuresOf("gw2", row("op", "set2", 9)))
	f.settleBoth("set", "set2")
	// gw2's 9 and the two failed receipts stand for 11, so gw's 90 count as 5, of which the settler set has 80 of 90.
	require.Equal(t, uint64(4+1), f.fails("set"))
	require.Equal(t, uint64(9+1), f.fails("set2")) // of at most 46
}

// A gateway that alone reports of an operator which works for others reports nothing into being.
func TestSlanderWhereOthersWork(t *testing.T) {
	f := accreditedGateways(t)
	f.do(failuresOf("gw", row("op", "set", 90)))
	f.settleBoth("set", "set2")
	require.Equal(t, uint64(1+1), f.fails("set")) // half of two failed receipts
	require.Equal(t, uint64(1), f.fails("set2"))
}

func TestFailureReportRefusals(t *testing.T) {
	f := accreditedGateways(t)
	f.refused(types.ErrUnknownGateway, failuresOf("nobody", row("op", "set", 1)))
	f.refused(types.ErrWrongSettler, failuresOf("gw", row("op", "set2", 1)))
	f.refused(types.ErrWrongSettler, failuresOf("gw", row("op", "op", 1)))
	f.refused(types.ErrUnknownSettler, failuresOf("gw", row("op", "nobody", 1)))
	f.refused(operatorstypes.ErrUnknownOperator, failuresOf("gw", row("nobody", "set", 1)))
	f.refused(types.ErrInvalidRequest, failuresOf("gw", row("op", "set", 0)))
	f.refused(types.ErrInvalidRequest, failuresOf("gw", row("op", "set", 1<<33)))
	f.refused(types.ErrInvalidRequest, failuresOf("gw"))
	many := failuresOf("gw", row("op", "set", 1))
	many.Rows = slices.Repeat(many.Rows, types.MaxFailureRows+1)
	f.refused(types.ErrInvalidRequest, many)
	f.refused(types.ErrInvalidRequest, failuresOf("gw", row("op", "set", 1), row("op", "set", 2)))
	short := row("op", "set", 1)
	short.Root = nil
	f.refused(types.ErrInvalidRequest, failuresOf("gw", short))
	early := failuresOf("gw", row("op", "set", 1))
	early.Epoch = 1
	f.refused(types.ErrSubmitWindow, early)
	early.Epoch = 9
	f.refused(types.ErrUnknownEpoch, early)
	f.do(failuresOf("gw", row("op", "set", 1)))
	f.refused(types.ErrReported, failuresOf("gw", row("op2", "set", 1)))
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw2")})
	f.refused(types.ErrNotAccredited, failuresOf("gw2", row("op", "set2", 1)))
	f.goTo(26)
	f.do(&types.MsgAccredit{Authority: addr("governance"), Gateway: addr("gw2"), Accredited: true})
	f.refused(types.ErrSubmitWindow, failuresOf("gw2", row("op", "set2", 1)))
}

// A row that lists a job with a countersigned receipt is struck, whole.
func TestRefuteFailure(t *testing.T) {
	f := accreditedGateways(t)
	served := f.sr1("host", routed(plain, nil), job{seq: 1, amount: 100})
	other := f.sr1("host", routed(plain, nil), job{seq: 2, amount: 100})
	var leaves [][32]byte
	for _, sr1 := range [][]byte{other, served, f.sr1("host", routed(plain, nil), job{seq: 3, amount: 100})} {
		r, err := receipt.Decode(sr1)
		require.NoError(t, err)
		id := r.JobID(f.operators.domain)
		leaves = append(leaves, chainlog.LeafHash(id[:]))
	}
	root := chainlog.Root(leaves)
	reported := row("op", "set", 3)
	reported.Root = root[:]
	f.do(failuresOf("gw", reported))
	path, err := chainlog.InclusionProof(leaves, 1, 3)
	require.NoError(t, err)
	m := func() *types.MsgRefuteFailure {
		r := &types.MsgRefuteFailure{Sender: addr("anyone"), Operator: addr("op"), Settler: addr("set"), Index: 1, Record: bytes.Clone(served)}
		for _, hash := range path {
			r.Path = append(r.Path, bytes.Clone(hash[:]))
		}
		return r
	}
	for name, tc := range map[string]struct {
		spoil func(*types.MsgRefuteFailure)
		want  error
	}{
		"another row":     {func(m *types.MsgRefuteFailure) { m.Operator = addr("op2") }, types.ErrUnknownFailures},
		"another epoch":   {func(m *types.MsgRefuteFailure) { m.Epoch = 9 }, types.ErrUnknownEpoch},
		"another index":   {func(m *types.MsgRefuteFailure) { m.Index = 0 }, types.ErrNotRefuted},
		"index beyond":    {func(m *types.MsgRefuteFailure) { m.Index = 3 }, types.ErrNotRefuted},
		"another job":     {func(m *types.MsgRefuteFailure) { m.Record = other }, types.ErrNotRefuted},
		"path":            {func(m *types.MsgRefuteFailure) { m.Path[0][0] ^= 1 }, types.ErrNotRefuted},
		"long path":       {func(m *types.MsgRefuteFailure) { m.Path = make([][]byte, 65) }, types.ErrInvalidRequest},
		"hash's length":   {func(m *types.MsgRefuteFailure) { m.Path[0] = nil }, types.ErrInvalidRequest},
		"not a record":    {func(m *types.MsgRefuteFailure) { m.Record[0] = 9 }, types.ErrBadRecord},
		"bad signature":   {func(m *types.MsgRefuteFailure) { m.Record[300] ^= 1 }, types.ErrBadRecord},
		"uncountersigned": {func(m *types.MsgRefuteFailure) { m.Record = m.Record[:receipt.Size] }, types.ErrInvalidRequest},
		"another settler's": {func(m *types.MsgRefuteFailure) {
			m.Record = f.sr1("host", work{settler: "paying", payer: "payer2", model: plain}, job{seq: 1, amount: 100})
		}, types.ErrNotRefuted},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := m()
			tc.spoil(spoilt)
			f.refused(tc.want, spoilt)
		})
	}
	f.do(m())
	require.Equal(t, uint64(1), f.gateway("gw").ReportsRefuted)
	require.Equal(t, reported, lastEvent[*types.EventFailureRefuted](f).Failures.Row)
	f.refused(types.ErrUnknownFailures, m())
	f.refused(types.ErrReported, failuresOf("gw", row("op", "set", 1))) // nor is it reported again
	f.settleBoth("set")
	require.Equal(t, uint64(1), f.fails("set"))
	f.goTo(120)
	_, err = f.k.CloseEpoch(f.ctx, 0)
	require.NoError(t, err)
	f.refused(types.ErrEpochClosed, m())
}

func TestFailureGenesis(t *testing.T) {
	f := accreditedGateways(t)
	f.do(failuresOf("gw", row("op", "set", 80), row("op", "paying", 10)))
	f.do(failuresOf("gw2", row("op", "set2", 9)))
	g, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Len(t, g.Failures, 3)
	require.Len(t, g.FailureReports, 2)
	require.Len(t, g.Routes, 1)
	require.True(t, g.Routes[0].Several)
	require.Equal(t, string(f.export()), string(f.reload(g).export()))
	for name, spoil := range map[string]func(*types.GenesisState){
		"row":            func(g *types.GenesisState) { g.Failures[0].Row.Fails = 0 },
		"row's epoch":    func(g *types.GenesisState) { g.Failures[0].Epoch = 9 },
		"row's gateway":  func(g *types.GenesisState) { g.Failures[0].Gateway = addr("other") },
		"row twice":      func(g *types.GenesisState) { g.Failures = append(g.Failures, g.Failures[0]) },
		"report twice":   func(g *types.GenesisState) { g.FailureReports = append(g.FailureReports, g.FailureReports[0]) },
		"report's epoch": func(g *types.GenesisState) { g.FailureReports[0].Epoch = 9 },
		"routes twice":   func(g *types.GenesisState) { g.Routes = append(g.Routes, g.Routes[0]) },
		"routes' epoch":  func(g *types.GenesisState) { g.Routes[0].Epoch = 9 },
	} {
		t.Run(name, func(t *testing.T) {
			g, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			spoil(g)
			require.Error(t, g.Validate())
		})
	}
	// All of it is pruned with its epoch.
	for e := range uint64(20) {
		f.goTo(int64(20*e + 120))
		_, err := f.k.CloseEpoch(f.ctx, e)
		require.NoError(t, err)
	}
	f.goTo(f.ctx.BlockHeight() + 5)
	g, err = f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Failures)
	require.Empty(t, g.FailureReports)
	require.Empty(t, g.Routes)
}
