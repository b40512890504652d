// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// machine drives the module by random steps. Every step may be refused; none may break an invariant, make or lose money.
type machine struct {
	*fixture
	seqs    map[string]uint64 // by host key
	pending map[uint64]*built
	claimed map[uint64]*built
	closed  uint64 // first epoch that is not closed
	bonds   int    // times that the gateway's bond was moved

	lastBatch uint64
	total     uint64 // all money
}

func newMachine(t *testing.T) *machine {
	m := &machine{fixture: newFixture(t), seqs: map[string]uint64{}, pending: map[uint64]*built{}, claimed: map[uint64]*built{}}
	m.setParams(func(p *types.Params) {
		p.MaxFinalisePerBlock, p.MaxPrunePerBlock, p.UsageRetentionEpochs, p.StuckReturnBlocks = 2, 4, 8, 30
		p.ThawBlocks = 44
	})
	m.pay("set", 500_000)
	m.total = m.money()
	return m
}

func (m *machine) money() uint64 {
	sum := uint64(0)
	for _, amount := range m.bank.balances {
		sum += amount
	}
	return sum
}

// phases are the blocks of an epoch in which the epoch before is submitted, opened, challenged and finalised first.
var phases = []int64{1, 10, 15, 20}

// next goes to the next phase, or some way there.
func (m *machine) next(r *rapid.T) {
	at := (m.ctx.BlockHeight()-1)%20 + 1
	step := 20 + phases[0] - at
	for _, phase := range phases {
		if phase > at {
			step = phase - at
			break
		}
	}
	if rapid.IntRange(0, 3).Draw(r, "stop short") == 0 {
		step = rapid.Int64Range(1, step).Draw(r, "blocks")
	}
	m.goTo(m.ctx.BlockHeight() + step)
}

// submitSome submits a random batch of the last epoch.
func (m *machine) submitSome(r *rapid.T) {
	e := (m.ctx.BlockHeight() - 1) / 20
	if e == 0 {
		return
	}
	host := rapid.SampledFrom([]string{"host", "host2"}).Draw(r, "host")
	var works []work
	for _, w := range []work{
		{settler: "set", payer: "payer", model: model},
		{settler: "paying", payer: "payer2", model: model, adapter: adapter},
		{settler: "paying", payer: "payer2", model: plain},
		{settler: "op", payer: "customer", model: plain},
	} {
		if !rapid.Bool().Draw(r, "group") {
			continue
		}
		if w.settler == "op" && host == "host2" {
			w.settler = "op2" // who never registered
			w.change = nil
		}
		for range rapid.IntRange(1, 3).Draw(r, "jobs") {
			m.seqs[host]++
			w.jobs = append(w.jobs, job{
				seq: m.seqs[host], amount: rapid.Uint64Range(1, 400_000).Draw(r, "amount"), failed: false,
			})
		}
		works = append(works, w)
	}
	if len(works) == 0 {
		return
	}
	b := m.build(host, uint64(e-1), works...)
	if resp, err := m.send(b.msg); err == nil {
		m.lastBatch = resp.(*types.MsgSubmitBatchResponse).BatchId //nolint:forcetypeassert // the handler's own type
		m.pending[m.lastBatch], m.claimed[m.lastBatch] = b, b
	}
}

// openSome opens the samples of a batch, all or the first, in time or not.
func (m *machine) openSome(r *rapid.T) {
	for id := range m.lastBatch + 1 {
		b, found := m.pending[id]
		if !found || rapid.IntRange(0, 9).Draw(r, "skip") == 0 {
			continue
		}
		resp, err := m.query.Batch(m.ctx, &types.QueryBatchRequest{BatchId: id})
		if err != nil || len(resp.Seed) == 0 {
			continue
		}
		msg := m.openings(b, resp.Batch)
		if rapid.IntRange(0, 9).Draw(r, "half") == 0 {
			msg.Samples = msg.Samples[:1]
		}
		_, _ = m.send(msg) // refused outside the window or when opened before
		delete(m.pending, id)
	}
}

// moveMoney deposits, withdraws, limits and claims.
func (m *machine) moveMoney(r *rapid.T) {
	settler := rapid.SampledFrom([]string{"set", "paying", "op"}).Draw(r, "settler")
	amount := rapid.Uint64Range(0, 300_000).Draw(r, "amount")
	for _, msg := range []any{
		&types.MsgDeposit{Depositor: addr("set"), Settler: addr(settler), AmountUusdc: amount},
		&types.MsgWithdraw{Settler: addr(settler), AmountUusdc: amount},
		&types.MsgSetLimit{Settler: addr(settler), Operator: addr("op"), LimitUusdc: 8 * amount},
		&types.MsgSetLimit{Settler: addr(settler), Operator: addr("op"), UseDefault: true},
		&types.MsgClaimEarnings{Operator: addr("op")},
	} {
		if rapid.Bool().Draw(r, "do") {
			m.try(msg)
		}
	}
}

// try sends a message that may be refused.
func (m *machine) try(msg any) {
	switch v := msg.(type) {
	case *types.MsgDeposit:
		_, _ = m.send(v)
	case *types.MsgWithdraw:
		_, _ = m.send(v)
	case *types.MsgSetLimit:
		_, _ = m.send(v)
	case *types.MsgClaimEarnings:
		_, _ = m.send(v)
	}
}

// recent returns the id of a recent batch.
func (m *machine) recent(r *rapid.T) uint64 {
	return m.lastBatch - min(m.lastBatch, rapid.Uint64Range(0, 5).Draw(r, "back"))
}

// fundSome tops up groups of recent batches.
func (m *machine) fundSome(r *rapid.T) {
	id := m.recent(r)
	for group := range uint32(4) {
		_, _ = m.send(&types.MsgFundGroup{Sender: addr("anyone"), BatchId: id, Group: group})
	}
}

// breakThings makes settlements fail, or lets them work again; governance sorts a batch out.
func (m *machine) breakThings(r *rapid.T) {
	m.log.refuse = rapid.IntRange(0, 3).Draw(r, "log") == 0
	m.operators.noHash = rapid.IntRange(0, 7).Draw(r, "hashes") == 0
	m.bank.refuse[string(raw("paying"))] = rapid.IntRange(0, 3).Draw(r, "bank") == 0
	id := m.recent(r)
	_, _ = m.send(&types.MsgSettleStuck{Authority: addr("governance"), BatchId: id, Settle: rapid.Bool().Draw(r, "settle")})
}

// watchSome demands leaves, answers some of the demands, shows omitted jobs, a payment named twice and two receipts of one job.
func (m *machine) watchSome(r *rapid.T) {
	m.operators.fails = rapid.IntRange(0, 5).Draw(r, "punish") == 0
	id := m.recent(r)
	_, _ = m.send(demandOf(rapid.SampledFrom([]string{"watch", "watch2"}).Draw(r, "reporter"), id, 0))
	for _, d := range m.demands() {
		b, found := m.claimed[d.BatchId]
		if !found || rapid.IntRange(0, 9).Draw(r, "withhold") == 0 {
			continue
		}
		answer := b.answer(m.fixture, d.Id, d.Index)
		answer.Sender = b.msg.Sender
		_, _ = m.send(answer)
	}
	seq := rapid.Uint64Range(1, 100).Draw(r, "seq")
	switch rapid.IntRange(0, 11).Draw(r, "evidence") {
	case 0:
		_, _ = m.send(m.report("watch", f1e, m.twoReceipts(routed(model, nil), seq), id))
	case 1:
		_, _ = m.send(m.report("watch", f1e, m.onePayment("host", routed(model, nil), "host2", routed(plain, nil))))
	case 2, 3, 4:
		_, _ = m.send(omitted(m.sr1("host", rapid.SampledFrom([]work{routed(model, nil), direct(plain, nil)}).Draw(r, "work"), job{seq: seq, amount: 50})))
	}
}

// moveBond ends the gateway's keys and its bond, or bonds again and makes new ones.
func (m *machine) moveBond(r *rapid.T) {
	m.bonds++
	if rapid.IntRange(0, 7).Draw(r, "leave") == 0 {
		for _, key := range m.gatewayKeys(r) {
			_, _ = m.send(&types.MsgRemoveGatewayKey{Gateway: addr("gw"), Address: key.Address})
		}
	}
	_, _ = m.send(&types.MsgUnbondGateway{Gateway: addr("gw")})
	_, _ = m.send(&types.MsgBondGateway{Gateway: addr("gw"), AmountUusdc: rapid.Uint64Range(0, 1_500_000).Draw(r, "bond")})
	_, _ = m.send(m.keyMsg("gw", fmt.Sprintf("key %d", m.bonds), "set"))
}

// gatewayKeys returns the gateway's keys.
func (m *machine) gatewayKeys(r *rapid.T) []types.GatewayKey {
	resp, err := m.query.Gateway(m.ctx, &types.QueryGatewayRequest{Address: addr("gw")})
	require.NoError(r, err)
	return resp.Keys
}

// closeEpochs closes what is ready, in order, as rewards does, and looks at all usage of it.
func (m *machine) closeEpochs(r *rapid.T) {
	for {
		ready, err := m.k.EpochReady(m.ctx, m.closed)
		if err != nil || !ready {
			return
		}
		state, err := m.k.CloseEpoch(m.ctx, m.closed)
		require.NoError(r, err)
		operators, err := m.k.OperatorsWithUsage(m.ctx, m.closed, nil, 10)
		require.NoError(r, err)
		var amount, take, pool uint64
		for _, operator := range operators {
			entries, err := m.k.UsageEntries(m.ctx, m.closed, operator)
			require.NoError(r, err)
			for _, e := range entries {
				require.LessOrEqual(r, e.Amount, e.ControllerSpend)
				require.LessOrEqual(r, e.ControllerSpend, e.TotalSpend)
				amount, take, pool = amount+e.Amount, take+e.Take, pool+e.Pool
			}
		}
		require.Equal(r, []uint64{state.AmountUusdc, state.TakeUusdc, state.PoolUusdc}, []uint64{amount, take, pool})
		m.closed++
	}
}

// check is run after every step.
func (m *machine) check(r *rapid.T) {
	require.NoError(r, m.k.CheckInvariants(m.ctx))
	require.Equal(r, m.total, m.money())
}

func TestRandomLife(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := newMachine(t)
		moves := []func(*rapid.T){m.submitSome, m.submitSome, m.openSome, m.openSome, m.moveMoney, m.fundSome, m.breakThings, m.moveBond, m.closeEpochs, m.watchSome}
		for range rapid.IntRange(8, 48).Draw(r, "steps") {
			for range rapid.IntRange(1, 4).Draw(r, "moves") {
				rapid.SampledFrom(moves).Draw(r, "move")(r)
				m.check(r)
			}
			m.next(r)
			m.check(r)
		}
		g, err := m.k.ExportGenesis(m.ctx)
		require.NoError(r, err)
		require.Equal(r, string(m.export()), string(m.reload(g).export()))
	})
}
