// SPDX-License-Identifier: Apache-2.0

package jobbook

import (
	"cmp"
	"slices"

	"github.com/gpucoord/gpucoord/host/receiptlog"
)

// Admitted implements receiptlog.Visitor: a job found in the log is interrupted until its receipt is found.
func (b *Book) Admitted(a receiptlog.Admission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enter(a, stateInterrupted)
}

// Served notes that a receipt is in the log. Until the chain knows it, it counts against its settler's cover; one that costs something
// also waits for its countersignature if the payer owes one: a receipt over nothing is no risk of the host.
func (b *Book) Served(jobID [32]byte, epoch, seq, amount uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch > b.epochs.newest {
		b.epochs.newest = epoch
		b.giveUpOld()
	}
	j := b.jobs[jobID]
	if j == nil || b.tooOld(epoch) {
		b.end(j)
		return
	}
	b.epochs.add(epoch, seq)
	p := b.settler(j.Settler)
	p.owe(epoch, amount)
	waits := amount > 0 && j.OwesCountersignature
	if waits {
		p.open = append(p.open, openReceipt{jobID: jobID, payer: j.Payer, epoch: epoch, seq: seq})
	}
	b.stopRunning(j)
	j.state = stateServed
	b.nonces.put(&j.Admission, stateServed)
	if !waits {
		delete(b.jobs, jobID)
		b.dropIfIdle(j.Settler, p)
	}
}

// end notes that a job was served that nobody can claim or countersign any more.
func (b *Book) end(j *job) {
	if j == nil {
		return
	}
	b.stopRunning(j)
	b.nonces.put(&j.Admission, stateServed)
	delete(b.jobs, j.JobID)
}

// Countersigned notes that a job's countersignature is in the log.
func (b *Book) Countersigned(jobID [32]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.jobs[jobID]
	if j == nil {
		return
	}
	if p := b.settlers[j.Settler]; p != nil {
		b.drop(p, func(o openReceipt) bool { return o.jobID == jobID })
		b.dropIfIdle(j.Settler, p)
	}
}

// drop takes the open receipts that match off the settler.
func (b *Book) drop(p *settler, match func(openReceipt) bool) {
	kept := p.open[:0]
	for _, o := range p.open {
		if match(o) {
			delete(b.jobs, o.jobID)
			continue
		}
		kept = append(kept, o)
	}
	p.open = kept
}

// oldest is the first epoch whose receipts can still be claimed.
func (b *Book) oldest() uint64 { return b.epochs.newest - min(b.epochs.newest, b.keepEpochs) }

func (b *Book) tooOld(epoch uint64) bool { return epoch < b.oldest() }

func (b *Book) giveUpOld() {
	b.epochs.forget(b.oldest())
	for key, p := range b.settlers {
		b.drop(p, func(o openReceipt) bool { return b.tooOld(o.epoch) })
		if first := b.oldest(); first > 0 {
			p.settle(first - 1)
		}
		b.dropIfIdle(key, p)
	}
}

// claimed forgets what settlers used in epochs that the chain knows: its own locks count that now.
func (b *Book) claimed(watermark uint64) {
	if !b.epochs.advance(watermark) {
		return
	}
	for key, p := range b.settlers {
		p.settle(b.epochs.claimed)
		b.dropIfIdle(key, p)
	}
}

// Open returns the jobs of a payer key that wait for its countersignature, oldest first, and how many of its jobs run.
func (b *Book) Open(payerKey [20]byte) (uncountersigned [][32]byte, running int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var open []openReceipt
	for _, p := range b.settlers {
		for _, o := range p.open {
			if o.payer == payerKey {
				open = append(open, o)
			}
		}
	}
	slices.SortFunc(open, func(x, y openReceipt) int { return cmp.Compare(x.seq, y.seq) })
	for _, o := range open {
		uncountersigned = append(uncountersigned, o.jobID)
	}
	for _, j := range b.jobs {
		if j.state == stateRunning && j.Payer == payerKey {
			running++
		}
	}
	return uncountersigned, running
}

// Prune forgets jobs whose authorisation has expired for longer than a margin and that neither run nor wait for a countersignature.
// Such an authorisation is refused for its age, so its nonce need not be known. now is in Unix seconds.
func (b *Book) Prune(now uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nonces.prune(now)
	for id, j := range b.jobs {
		if j.state == stateInterrupted && over(bucketOf(j.ExpiresAt), now) {
			delete(b.jobs, id)
		}
	}
}

// Totals says how much the book holds.
type Totals struct {
	// Known is how many nonces are remembered, Running how many jobs are being served, Uncountersigned how many receipts wait.
	Known, Running, Uncountersigned int
	// UnclaimedUusdc is what receipts cost that the chain does not know yet.
	UnclaimedUusdc uint64
}

// Totals returns how much the book holds.
func (b *Book) Totals() Totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := Totals{Known: b.nonces.len()}
	for _, p := range b.settlers {
		t.Running += p.running
		t.Uncountersigned += len(p.open)
		t.UnclaimedUusdc = saturatingAdd(t.UnclaimedUusdc, p.unclaimedSum())
	}
	return t
}
