// SPDX-License-Identifier: Apache-2.0

// Package jobbook keeps which jobs a host has admitted: used nonces, running jobs, receipts that wait for a countersignature, and what
// each settler has used and the chain does not know yet.
//
// What is open and what is used counts by settler, not by payer key: a gateway has several keys, all on one escrow and one limit.
//
// The book is memory only. It is filled from the receipt log when the host starts, and every admission is made durable there before the
// engine is called, so a restart forgets nothing: a job that was admitted and has no receipt is then Interrupted.
package jobbook

import (
	"errors"
	"fmt"
	"math/bits"
	"sync"

	"github.com/gpucoord/gpucoord/host/receiptlog"
)

// Errors of admitting a job.
var (
	ErrNonceUsed   = errors.New("the payer used this nonce for another job: sign a new authorisation with a fresh nonce")
	ErrInterrupted = errors.New("the host stopped while it served this job and has no receipt of it: sign a new authorisation")
	ErrRunning     = errors.New("this job is being served: wait for its receipt")
	ErrServed      = errors.New("this job was served: its receipt is in the log")
	ErrUnfunded    = errors.New("the settler's unclaimed jobs and this one exceed what it can cover")
	ErrTooManyOpen = errors.New("too many jobs of this settler run or wait for a countersignature")
)

// TooManyOpenError names the jobs that keep a settler from opening another one.
type TooManyOpenError struct {
	// Uncountersigned are the jobs whose receipts wait for their payers, oldest first.
	Uncountersigned [][32]byte
	// Running is how many of the settler's jobs are being served.
	Running int
}

// Error implements error.
func (e *TooManyOpenError) Error() string {
	return fmt.Sprintf("%v: %d running, %d uncountersigned", ErrTooManyOpen, e.Running, len(e.Uncountersigned))
}

// Unwrap makes the error an ErrTooManyOpen.
func (e *TooManyOpenError) Unwrap() error { return ErrTooManyOpen }

type state uint8

const (
	stateRunning state = iota
	stateInterrupted
	stateServed
)

// job is what the book knows of a job that runs, was interrupted, or waits for its countersignature.
type job struct {
	receiptlog.Admission
	state state
}

// Book is the host's memory of jobs. Its methods may be called concurrently.
type Book struct {
	keepEpochs uint64

	mu       sync.Mutex
	nonces   nonces
	jobs     map[[32]byte]*job
	settlers map[[20]byte]*settler
	epochs   epochs
}

// New returns an empty book. Receipts older than keepEpochs before the newest epoch are given up: they can no longer be claimed, and no
// longer count against their settler.
func New(keepEpochs uint64) *Book {
	return &Book{
		keepEpochs: keepEpochs, nonces: newNonces(), jobs: make(map[[32]byte]*job), settlers: make(map[[20]byte]*settler),
	}
}

// Limits bound what one settler may have open. Amounts are in micro-USD.
type Limits struct {
	// Cover is what the settler can still cover.
	Cover uint64
	// Watermark is the highest sequence number that the chain knows: what was served up to its epoch is claimed, so Cover is less already.
	Watermark uint64
	// MaxOpen is how many jobs of a settler whose payers owe countersignatures may run or wait for one.
	MaxOpen int
}

// Admit enters a job as running, atomically with the checks. The caller makes it durable, or takes it back with Forget.
//
// Errors, in order: ErrServed, ErrRunning, ErrInterrupted for a job that is known; ErrNonceUsed; *TooManyOpenError; ErrUnfunded.
func (b *Book) Admit(a receiptlog.Admission, lim Limits) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.known(&a); err != nil {
		return err
	}
	b.claimed(lim.Watermark)
	if p := b.settlers[a.Settler]; p != nil {
		if a.OwesCountersignature && p.running+len(p.open) >= lim.MaxOpen {
			return p.tooManyOpen()
		}
		if !p.covered(a.MaxAmount, lim.Cover) {
			return ErrUnfunded
		}
	} else if a.MaxAmount > lim.Cover {
		return ErrUnfunded
	}
	b.enter(a, stateRunning)
	p := b.settler(a.Settler)
	p.running++
	p.runningMax += a.MaxAmount // cannot wrap: the sum was checked
	return nil
}

// Known returns the error that Admit would return for the job and its nonce alone, nil if the book knows neither.
func (b *Book) Known(a receiptlog.Admission) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known(&a)
}

func (b *Book) known(a *receiptlog.Admission) error {
	if j := b.jobs[a.JobID]; j != nil {
		return j.state.err()
	}
	s, ok := b.nonces.find(a)
	switch {
	case !ok:
		return nil
	case !s.of(a.JobID):
		return ErrNonceUsed
	}
	return s.state().err()
}

func (s state) err() error {
	switch s {
	case stateRunning:
		return ErrRunning
	case stateServed:
		return ErrServed
	case stateInterrupted:
	}
	return ErrInterrupted
}

// settler returns the settler's exposure, a new one if there is none.
func (b *Book) settler(account [20]byte) *settler {
	p := b.settlers[account]
	if p == nil {
		p = &settler{}
		b.settlers[account] = p
	}
	return p
}

func (s *settler) covered(maxAmount, cover uint64) bool {
	sum, c1 := bits.Add64(s.runningMax, s.unclaimedSum(), 0)
	sum, c2 := bits.Add64(sum, maxAmount, 0)
	return c1 == 0 && c2 == 0 && sum <= cover
}

func (b *Book) enter(a receiptlog.Admission, s state) {
	b.jobs[a.JobID] = &job{Admission: a, state: s}
	b.nonces.put(&a, s)
}

// Forget takes back an admission that could not be made durable.
func (b *Book) Forget(jobID [32]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j := b.jobs[jobID]
	if j == nil {
		return
	}
	b.stopRunning(j)
	b.nonces.remove(&j.Admission)
	delete(b.jobs, jobID)
}

// Interrupt notes that a running job ended without a receipt; its nonce stays used.
func (b *Book) Interrupt(jobID [32]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if j := b.jobs[jobID]; j != nil {
		b.stopRunning(j)
		j.state = stateInterrupted
		b.nonces.put(&j.Admission, j.state)
	}
}

func (b *Book) stopRunning(j *job) {
	if j.state != stateRunning {
		return
	}
	p := b.settlers[j.Settler]
	p.running--
	p.runningMax -= j.MaxAmount
	b.dropIfIdle(j.Settler, p)
}

func (b *Book) dropIfIdle(account [20]byte, p *settler) {
	if p.running == 0 && len(p.open) == 0 && len(p.unclaimed) == 0 {
		delete(b.settlers, account)
	}
}
