// SPDX-License-Identifier: Apache-2.0

package jobbook

import "github.com/gpucoord/gpucoord/host/receiptlog"

// Admitted implements receiptlog.Visitor: a job found in the log is interrupted until its receipt is found.
func (b *Book) Admitted(a receiptlog.Admission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enter(a, stateInterrupted)
}

// Served notes that a receipt is in the log. One that costs something waits for its countersignature if the payer owes one: a receipt
// over nothing is no risk of the host.
func (b *Book) Served(jobID [32]byte, epoch, amount uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch > b.newest {
		b.newest = epoch
		b.giveUpOld()
	}
	j := b.jobs[jobID]
	if j == nil {
		return
	}
	if amount > 0 && j.OwesCountersignature && !b.tooOld(epoch) {
		p := b.payers[j.Payer]
		if p == nil {
			p = &payer{}
			b.payers[j.Payer] = p
		}
		p.open = append(p.open, openReceipt{jobID, epoch, amount})
		j.waiting = true
		p.openAmount += amount // at most the max amount that Admit has checked
	}
	b.stopRunning(j)
	j.state = stateServed
}

// Countersigned notes that a job's countersignature is in the log.
func (b *Book) Countersigned(jobID [32]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.jobs[jobID]
	if j == nil {
		return
	}
	if p := b.payers[j.Payer]; p != nil {
		b.drop(p, func(o openReceipt) bool { return o.jobID == jobID })
		b.dropIfIdle(j.Payer, p)
	}
}

// drop takes the open receipts that match off the payer.
func (b *Book) drop(p *payer, match func(openReceipt) bool) {
	kept := p.open[:0]
	for _, o := range p.open {
		if match(o) {
			p.openAmount -= o.amount
			if j := b.jobs[o.jobID]; j != nil {
				j.waiting = false
			}
			continue
		}
		kept = append(kept, o)
	}
	p.open = kept
}

func (b *Book) tooOld(epoch uint64) bool {
	return b.newest > b.keepEpochs && epoch < b.newest-b.keepEpochs
}

func (b *Book) giveUpOld() {
	for key, p := range b.payers {
		b.drop(p, func(o openReceipt) bool { return b.tooOld(o.epoch) })
		b.dropIfIdle(key, p)
	}
}

// Open returns the payer's jobs that wait for a countersignature, oldest first, and how many of its jobs run.
func (b *Book) Open(payerKey [20]byte) (uncountersigned [][32]byte, running int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.payers[payerKey]
	if p == nil {
		return nil, 0
	}
	e := p.tooManyOpen()
	return e.Uncountersigned, e.Running
}

// expiryMargin is how long after its end an authorisation is remembered, in seconds: more than any clock slack.
const expiryMargin = 600

// age files a job under the first minute that begins after it may be forgotten.
func (b *Book) age(jobID [32]byte, expiresAt uint64) {
	minute := expiresAt/60 + expiryMargin/60 + 1
	b.aging[minute] = append(b.aging[minute], jobID)
}

// Prune forgets jobs whose authorisation has expired for longer than a margin and that neither run nor wait for a countersignature.
// Such an authorisation is refused for its age, so its nonce need not be known. now is in Unix seconds.
func (b *Book) Prune(now uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var kept [][32]byte
	for minute, jobs := range b.aging {
		if minute > now/60 {
			continue
		}
		for _, id := range jobs {
			if !b.forget(id) {
				kept = append(kept, id)
			}
		}
		delete(b.aging, minute)
	}
	for _, id := range kept {
		b.age(id, now)
	}
}

// forget deletes an expired job; false means that it runs or waits for its countersignature.
func (b *Book) forget(jobID [32]byte) bool {
	j := b.jobs[jobID]
	if j == nil {
		return true
	}
	if j.state == stateRunning || j.waiting {
		return false
	}
	delete(b.nonces, nonceKey{j.Payer, j.Nonce})
	delete(b.jobs, jobID)
	return true
}

// Totals says how much the book holds.
type Totals struct {
	// Known is how many jobs are remembered, Running how many are being served, Uncountersigned how many receipts wait.
	Known, Running, Uncountersigned int
}

// Totals returns how much the book holds.
func (b *Book) Totals() Totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := Totals{Known: len(b.jobs)}
	for _, p := range b.payers {
		t.Running += p.running
		t.Uncountersigned += len(p.open)
	}
	return t
}
