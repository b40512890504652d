// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// sample is one round of one side.
type sample struct {
	wall, cpu time.Duration // a request: all clients' wall time over requests, and the process's processor time
	p99       time.Duration
}

// load sends n jobs to base with so many clients. They are signed ahead, so that the client's work does not count.
func (r *rig) load(base string, stream bool, n, clients int) (sample, error) {
	requests := make([]*http.Request, n)
	for i := range requests {
		req, err := r.job(base, stream)
		if err != nil {
			return sample{}, err
		}
		requests[i] = req
	}
	took := make([]time.Duration, n)
	var next atomic.Int64
	var g errgroup.Group
	start, cpu := time.Now(), processorTime()
	for range clients {
		g.Go(func() error {
			for i := next.Add(1) - 1; int(i) < n; i = next.Add(1) - 1 {
				begun := time.Now()
				if err := r.send(requests[i]); err != nil {
					return err
				}
				took[i] = time.Since(begun)
			}
			return nil
		})
	}
	err := g.Wait()
	slices.Sort(took)
	per := time.Duration(n)
	return sample{wall: time.Since(start) / per, cpu: (processorTime() - cpu) / per, p99: took[n*99/100]}, err
}

func (r *rig) send(req *http.Request) error {
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	if err := drain(resp); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", req.URL.Host, resp.StatusCode)
	}
	return nil
}

// processorTime is what all threads of this process have used so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // it only fails for a wrong argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// median returns the middle of each measure by itself.
func median(samples []sample) (m sample) {
	middle := func(of func(sample) time.Duration) time.Duration {
		all := make([]time.Duration, len(samples))
		for i, s := range samples {
			all[i] = of(s)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	m.wall = middle(func(s sample) time.Duration { return s.wall })
	m.cpu = middle(func(s sample) time.Duration { return s.cpu })
	m.p99 = middle(func(s sample) time.Duration { return s.p99 })
	return m
}
