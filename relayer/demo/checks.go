// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"fmt"
	"math/bits"
	"sort"
	"strings"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/split"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// ErrChecks says that numbers that must agree do not. The page names them.
var ErrChecks = errors.New("a check of the demo did not hold; see MONEY AND COUNTS on the page")

// leastEpochs is how many settled epochs with receipts the demo shows.
const leastEpochs = 2

// CheckCustomers is the name of the check that looks at what customers saw. It does not hold where programs are killed under them.
const CheckCustomers = "every request was served, left by its customer, or refused by a named error"

// CheckCountersigned is the name of the check that no receipt waits for its gateway. A host that is killed in the middle of an answer may
// have signed a receipt that its gateway cannot confirm.
const CheckCountersigned = "every gateway's receipt is countersigned"

// Check is one comparison of two sources that must agree.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail gives the numbers.
	Detail string `json:"detail"`
}

// auditor compares what the chain settled with what everybody else knows.
type auditor struct {
	w               *World
	baseline, facts *facts
	traffic         *Traffic
	report          *Report
	out             []Check
}

// audit fills in the report's checks.
func (w *World) audit(baseline, f *facts, t *Traffic, r *Report) {
	a := &auditor{w: w, baseline: baseline, facts: f, traffic: t, report: r}
	a.epochs()
	a.supply()
	a.waterfall()
	a.takeParts()
	a.hosts()
	a.gateways()
	a.directCustomer()
	a.royalties()
	a.earnings()
	a.rewards()
	a.samples()
	a.customers()
	r.Checks, r.InvariantsOK = a.out, true
	for _, c := range a.out {
		r.InvariantsOK = r.InvariantsOK && c.OK
	}
}

func (a *auditor) add(name string, ok bool, format string, args ...any) {
	a.out = append(a.out, Check{Name: name, OK: ok, Detail: fmt.Sprintf(format, args...)})
}

// equal compares one number of two sources.
func (a *auditor) equal(name string, want, got uint64, unit string) {
	if want == got {
		a.add(name, true, "%s %s", thousands(got), unit)
		return
	}
	a.add(name, false, "%s against %s %s", thousands(want), thousands(got), unit)
}

// finalised calls do for each settled batch of the report's epochs.
func (a *auditor) finalised(do func(*receiptstypes.Batch)) {
	for i := range a.facts.batches {
		b := &a.facts.batches[i]
		if a.inEpochs(b.Epoch) && b.Status == receiptstypes.BatchStatus_BATCH_STATUS_FINALISED {
			do(b)
		}
	}
}

// sinceBaseline calls do for each batch that was settled after the run began, whatever its epoch.
func (a *auditor) sinceBaseline(do func(*receiptstypes.Batch)) {
	before := make(map[uint64]bool)
	for i := range a.baseline.batches {
		b := &a.baseline.batches[i]
		before[b.Id] = b.Status == receiptstypes.BatchStatus_BATCH_STATUS_FINALISED
	}
	for i := range a.facts.batches {
		b := &a.facts.batches[i]
		if b.Status == receiptstypes.BatchStatus_BATCH_STATUS_FINALISED && !before[b.Id] {
			do(b)
		}
	}
}

func (a *auditor) epochs() {
	a.add("two epochs with receipts are settled", a.report.EpochsSettled >= leastEpochs, "%d, epochs %d to %d",
		a.report.EpochsSettled, a.report.FirstEpoch, a.report.LastEpoch)
}

func (a *auditor) supply() {
	ok := true
	var parts []string
	for _, denom := range []string{"uusdc", "ultai", "ualeph"} {
		ok = ok && a.facts.supply[denom] == a.baseline.supply[denom]
		parts = append(parts, thousands(a.facts.supply[denom])+" "+denom)
	}
	a.add("no coin was made or lost", ok, "%s", strings.Join(parts, ", "))
}

func (a *auditor) waterfall() {
	ok := true
	a.finalised(func(b *receiptstypes.Batch) {
		for i := range b.Groups {
			s := &b.States[i]
			ok = ok && (s.Unfunded || b.Groups[i].AmountUusdc == s.TakeUusdc+s.RoyaltyUusdc+s.OperatorUusdc)
		}
	})
	r := a.report
	sum := r.TakeUusdc + r.RoyaltiesUusdc + r.OperatorShareUusdc + r.DirectShareUusdc
	a.add("amount = take + royalties + operators' shares, in every group", ok && sum == r.AmountUusdc, "%s = %s + %s + %s uusdc",
		thousands(r.AmountUusdc), thousands(r.TakeUusdc), thousands(r.RoyaltiesUusdc), thousands(r.OperatorShareUusdc+r.DirectShareUusdc))
}

// takeParts computes the parts of each settled group's take again and compares them with what the accounts have received.
func (a *auditor) takeParts() {
	var sum split.Take
	var failed error
	a.sinceBaseline(func(b *receiptstypes.Batch) {
		p := a.facts.paramsOf(b.Epoch) // the demo's parameters never change
		for i := range b.Groups {
			if b.States[i].Unfunded {
				continue
			}
			part, err := split.TakeOf(b.Groups[i].AmountUusdc, takeBps(&p))
			failed = errors.Join(failed, err)
			sum.Take, sum.Pool, sum.Probers = sum.Take+part.Take, sum.Pool+part.Pool, sum.Probers+part.Probers
			sum.Aleph, sum.Insurance = sum.Aleph+part.Aleph, sum.Insurance+part.Insurance
		}
	})
	grown := func(name string) uint64 { return a.facts.balances[name] - a.baseline.balances[name] }
	a.add("take = epoch pool + probers + ALEPH pool + insurance",
		failed == nil && sum.Take == sum.Pool+sum.Probers+sum.Aleph+sum.Insurance, "%s = %s + %s + %s + %s uusdc",
		thousands(sum.Take), thousands(sum.Pool), thousands(sum.Probers), thousands(sum.Aleph), thousands(sum.Insurance))
	a.equal("account of the probers' pool grew by its part", sum.Probers, grown("probers_pool"), "uusdc")
	a.equal("account of the ALEPH pool grew by its part", sum.Aleph, grown("aleph_pool"), "uusdc")
	a.equal("account of the insurance grew by its part and the epochs' forfeits", sum.Insurance+a.facts.forfeits, grown("insurance"), "uusdc")
}

// hosts compares each host's own log with the batches: nothing lost, nothing twice.
func (a *auditor) hosts() {
	type sums struct{ count, amount, tokens uint64 }
	logged, settled := make(map[string]sums), make(map[string]sums)
	open := uint64(0)
	for operator, records := range a.facts.logs {
		for i := range records {
			x := &records[i]
			if !a.inEpochs(x.Epoch) {
				continue
			}
			if !x.Countersigned && x.Auth.Payer != a.w.payerOfDirect() {
				open++
				continue
			}
			s := logged[operator]
			logged[operator] = sums{s.count + 1, s.amount + x.Amount, s.tokens + x.PromptTokens + x.OutputTokens}
		}
	}
	a.finalised(func(b *receiptstypes.Batch) {
		s := settled[b.Operator]
		settled[b.Operator] = sums{s.count + b.Count, s.amount + b.AmountUusdc, s.tokens + b.Tokens}
	})
	for _, o := range operators {
		address := a.w.state.Accounts[o.name].Address
		l, s := logged[address], settled[address]
		a.add("log of "+hostOf(o.name)+" = settled batches", l == s, "%s, %s uusdc, %s tokens against %s, %s, %s",
			count(l.count, "receipt", "receipts"), thousands(l.amount), thousands(l.tokens), thousands(s.count), thousands(s.amount), thousands(s.tokens))
	}
	a.add(CheckCountersigned, open == 0, "%d are not", open)
	a.once()
}

// once compares the hosts' logs with the records that the batches published, job by job.
func (a *auditor) once() {
	claims := make(map[[32]byte]int)
	a.finalised(func(b *receiptstypes.Batch) {
		for _, job := range a.facts.claimed[b.Id] {
			claims[job]++
		}
	})
	payable, lost, twice, strange := 0, 0, 0, len(claims)
	for _, records := range a.facts.logs {
		for i := range records {
			x := &records[i]
			if !a.inEpochs(x.Epoch) || !x.Countersigned && x.Auth.Payer != a.w.payerOfDirect() {
				continue
			}
			payable++
			switch claims[x.JobID(a.w.domain)] {
			case 0:
				lost++
			case 1:
				strange--
			default:
				twice++
				strange--
			}
		}
	}
	a.add("every payable receipt is in exactly one settled batch", lost+twice+strange == 0, "%s; %d lost, %d twice, %d that no host has",
		count(uint64(payable), "receipt", "receipts"), lost, twice, strange)
}

// gateways compares each gateway's own ledger with the chain.
func (a *auditor) gateways() {
	for _, g := range gateways {
		settler := a.w.state.Accounts[g.name].Address
		var jobs, amount uint64
		a.finalised(func(b *receiptstypes.Batch) {
			for i := range b.Groups {
				if b.States[i].Settler == settler {
					jobs, amount = jobs+b.Groups[i].Count, amount+b.Groups[i].AmountUusdc
				}
			}
		})
		own := a.facts.books[g.name]
		ownJobs, ownAmount := own.sums(a.report.FirstEpoch, a.report.LastEpoch)
		a.add("ledger of "+g.name+" = chain", jobs == ownJobs && amount == ownAmount, "%s, %s uusdc against %s, %s",
			count(ownJobs, "job", "jobs"), thousands(ownAmount), thousands(jobs), thousands(amount))
	}
}

// directCustomer compares the receipts the direct customer holds with his operator's log, and the log with what the operator settled.
func (a *auditor) directCustomer() {
	_, o := directOperator()
	settler := a.w.state.Accounts[o.name].Address
	logged := make(map[[32]byte]uint64)
	var held, settled, missing uint64
	for i := range a.facts.logs[settler] {
		x := &a.facts.logs[settler][i]
		if a.inEpochs(x.Epoch) && x.Auth.Payer == a.w.payerOfDirect() {
			logged[x.JobID(a.w.domain)] = x.Amount
		}
	}
	for i := range a.traffic.Direct {
		x := &a.traffic.Direct[i]
		if !a.inEpochs(x.Epoch) {
			continue
		}
		if amount, known := logged[x.JobID(a.w.domain)]; !known || amount != x.Amount {
			missing++
		}
	}
	for _, amount := range logged {
		held += amount
	}
	a.finalised(func(b *receiptstypes.Batch) {
		for i := range b.Groups {
			if b.States[i].Settler == settler {
				settled += b.Groups[i].AmountUusdc
			}
		}
	})
	a.add("every receipt the direct customer holds is in the log of "+hostOf(o.name), missing == 0, "%d held, %d missing", len(a.traffic.Direct), missing)
	a.equal("direct work in that log = settled by "+o.name+" itself", held, settled, "uusdc")
}

// inEpochs reports whether an epoch is one of the report's.
func (a *auditor) inEpochs(e uint64) bool { return e >= a.report.FirstEpoch && e <= a.report.LastEpoch }

func (a *auditor) royalties() {
	var settled uint64
	a.sinceBaseline(func(b *receiptstypes.Batch) {
		for i := range b.States {
			if !b.States[i].Unfunded {
				settled += b.States[i].RoyaltyUusdc
			}
		}
	})
	sum := func(f *facts) (payees, claimable, assets uint64) {
		for _, x := range f.accruals {
			payees, claimable = payees+x.LifetimeUusdc, claimable+x.ClaimableUusdc
		}
		for _, x := range f.assets {
			assets += x
		}
		return payees, claimable, assets
	}
	payees0, _, assets0 := sum(a.baseline)
	payees, claimable, assets := sum(a.facts)
	a.equal("royalties of the groups = accrued to authors", settled, payees-payees0, "uusdc")
	a.equal("royalties of the groups = earned by models", settled, assets-assets0, "uusdc")
	a.equal("account of the royalties = what authors may claim", a.facts.balances["royalties"], claimable, "uusdc")
}

func (a *auditor) earnings() {
	settled, earned := make(map[string]uint64), uint64(0)
	a.sinceBaseline(func(b *receiptstypes.Batch) {
		for i := range b.States {
			if s := &b.States[i]; s.PaysOperators && !s.Unfunded {
				settled[b.Operator] += s.OperatorUusdc
			}
		}
	})
	ok := true
	for operator, lifetime := range a.facts.earnings {
		ok = ok && lifetime-a.baseline.earnings[operator] == settled[operator]
		earned += lifetime - a.baseline.earnings[operator]
	}
	a.add("operators' shares of the groups = operators' earnings", ok, "%s uusdc", thousands(earned))
}

// rewards checks every settled epoch: rows add up to the pools, and no reward comes near the take it is paid for.
func (a *auditor) rewards() {
	ok, capped := true, true
	var sum uint64
	for _, e := range a.facts.settled {
		s := &e.settlement
		var rows uint64
		for _, x := range e.explained {
			rows += x.Row.RewardUusdc
			hi, lo := bits.Mul64(x.Row.TakeUusdc, s.Params.PaybackCapBps)
			whole, _ := bits.Div64(hi, lo, 10_000)
			capped = capped && x.Row.RewardUusdc <= x.Row.CapUusdc && x.Row.CapUusdc <= whole
		}
		sum += rows
		ok = ok && rows == s.RewardsUusdc && s.RewardsUusdc == s.FromPoolUusdc+s.FromSponsorsUusdc &&
			s.PoolUusdc == s.FromPoolUusdc+s.InsuranceUusdc && s.CollectedUusdc == s.PoolUusdc+s.IneligibleUusdc &&
			s.CollectedUusdc == e.state.PoolUusdc
	}
	a.add("epoch rewards: rows = pools, to the unit", ok, "%s uusdc", thousands(sum))
	a.add("no reward is above its cap, three quarters of the take it is for", capped, "%s", count(uint64(len(a.facts.settled)), "epoch", "epochs"))
}

// samples checks that every batch of the epochs was settled with all its samples opened.
func (a *auditor) samples() {
	drawn, opened, other := 0, 0, 0
	for i := range a.facts.batches {
		b := &a.facts.batches[i]
		if !a.inEpochs(b.Epoch) {
			continue
		}
		if b.Status != receiptstypes.BatchStatus_BATCH_STATUS_FINALISED {
			other++
			continue
		}
		drawn += int(b.Samples)
		opened += bits.OnesCount32(b.Opened)
	}
	a.add("every drawn sample was opened, no batch is void", other == 0 && drawn == opened, "%d of %d samples, %d batches not settled", opened, drawn, other)
}

// customers checks that each request got what was asked for, or a named refusal.
func (a *auditor) customers() {
	named := 0
	for _, n := range a.traffic.Refused {
		named += n
	}
	t := a.traffic
	ok := len(t.Faults) == 0 && t.Served+t.Cancelled+named == t.Sent && t.Refused["gateway UNREADABLE"]+t.Refused["host UNREADABLE"] == 0
	a.add(CheckCustomers, ok, "%d = %d + %d + %d%s",
		t.Sent, t.Served, t.Cancelled, named, faultsText(t.Faults))
}

func faultsText(faults []string) string {
	if len(faults) == 0 {
		return ""
	}
	sorted := append([]string(nil), faults...)
	sort.Strings(sorted)
	return "; " + strings.Join(sorted, "; ")
}

// payerOfDirect is the key address of the direct customer; zero if its key file is gone.
func (w *World) payerOfDirect() [20]byte {
	key, err := w.key(directCustomer)
	if err != nil {
		return [20]byte{}
	}
	return receipt.KeyAddress(key)
}
