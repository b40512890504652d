// SPDX-License-Identifier: Apache-2.0

package route

import (
	"sync"
	"time"
)

// learnedFor is how long a host's own limit, learned from a refusal, is gone by; then the usual one is tried again.
const learnedFor = time.Minute

// Load counts, in memory only, which jobs each host has open with this gateway: running, or waiting for a countersignature. A host
// refuses more of them than its limit, and every refusal costs a signed authorisation and two writes. Its methods may be called from
// several goroutines.
type Load struct {
	limit int

	mu    sync.Mutex // guards what follows
	hosts map[[20]byte]*hostLoad
	jobs  map[[32]byte][20]byte // open jobs by id, and their hosts
}

type hostLoad struct {
	open    int
	learned int // the host's own limit
	until   time.Time
}

// NewLoad returns an empty count. limit is how many open jobs a host is given at most.
func NewLoad(limit int) *Load {
	return &Load{limit: limit, hosts: make(map[[20]byte]*hostLoad), jobs: make(map[[32]byte][20]byte)}
}

func (l *Load) limitOf(h *hostLoad, now time.Time) int {
	if h.learned > 0 && now.Before(h.until) {
		return min(h.learned, l.limit)
	}
	return l.limit
}

// Enter counts a job as open at a host, unless the host has as many as it takes.
func (l *Load) Enter(host [20]byte, job [32]byte, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.hosts[host]
	if h == nil {
		h = &hostLoad{}
		l.hosts[host] = h
	}
	if h.open >= l.limitOf(h, now) {
		return false
	}
	if _, known := l.jobs[job]; !known {
		h.open++
		l.jobs[job] = host
	}
	return true
}

// Leave notes that a job is not open any more. One that is not counted changes nothing.
func (l *Load) Leave(job [32]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(job, time.Now())
}

func (l *Load) leave(job [32]byte, now time.Time) *hostLoad {
	key, known := l.jobs[job]
	if !known {
		return nil
	}
	delete(l.jobs, job)
	h := l.hosts[key]
	if h.open--; h.open == 0 && !now.Before(h.until) {
		delete(l.hosts, key)
	}
	return h
}

// Full notes that a host refused a job because it has as many as it takes: those that it has without this one are its limit for a while.
func (l *Load) Full(job [32]byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if key, known := l.jobs[job]; known {
		h := l.hosts[key]
		h.learned, h.until = max(1, h.open-1), now.Add(learnedFor)
		l.leave(job, now)
	}
}

// Free keeps the candidates that take another job.
func (l *Load) Free(candidates []Candidate, now time.Time) []Candidate {
	l.mu.Lock()
	defer l.mu.Unlock()
	free := make([]Candidate, 0, len(candidates))
	for _, cand := range candidates {
		if h := l.hosts[cand.Host.Key]; h == nil || h.open < l.limitOf(h, now) {
			free = append(free, cand)
		}
	}
	return free
}

// Open is how many jobs are counted.
func (l *Load) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.jobs)
}
