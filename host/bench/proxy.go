// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

const (
	// minRateThousandths and maxAddedP99 are the limits that the project sets itself.
	minRateThousandths = 800
	maxAddedP99        = 2 * time.Millisecond
)

// benchProxy compares the host with a bare proxy, for an engine that answers at once and for one with a model's latency.
func benchProxy(out io.Writer, opts options) error {
	t := table{title: fmt.Sprintf("host against httputil.ReverseProxy: %d rounds of %d jobs a side, %d clients (%d at once), native signatures %t",
		opts.rounds, opts.requests, opts.clients, opts.crowd, sigcheck.Native)}
	for _, ttft := range []time.Duration{opts.ttft, 0} {
		for _, stream := range []bool{false, true} {
			if err := t.compare(opts, ttft, stream); err != nil {
				return err
			}
		}
	}
	return t.write(out)
}

func (t *table) compare(opts options, ttft time.Duration, stream bool) (err error) {
	r, err := newRig(opts.dir, ttft)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	clients := opts.clients
	if ttft == 0 {
		clients = opts.crowd
	}
	var bare, metered []sample
	for round := range opts.rounds + 1 {
		runtime.GC() // so that no side pays for the other's garbage
		b, err := r.load(r.bare, stream, opts.requests, clients)
		if err != nil {
			return err
		}
		runtime.GC()
		m, err := r.load(r.metered, stream, opts.requests, clients)
		if err != nil {
			return err
		}
		if round > 0 { // the first one warms up
			bare, metered = append(bare, b), append(metered, m)
		}
	}
	t.judge(fmt.Sprintf("engine of %s, %s", ttft, map[bool]string{false: "whole answers", true: "streams"}[stream]), median(bare), median(metered))
	return nil
}

// judge adds a case: the rate's ratio and what the host adds to the 99th percentile and to a job's processor time.
func (t *table) judge(name string, bare, metered sample) {
	ratio := bare.wall.Nanoseconds() * 1_000 / max(1, metered.wall.Nanoseconds())
	t.add(name, "bare", fmt.Sprintf("%d requests/s, p99 %s", perSecond(bare), bare.p99.Round(10*time.Microsecond)))
	t.add("", "host", fmt.Sprintf("%d requests/s, p99 %s", perSecond(metered), metered.p99.Round(10*time.Microsecond)))
	t.add("", "requests/s, host over bare", fmt.Sprintf("%s (limit %s) %s", decimal(ratio), decimal(minRateThousandths), word(ratio >= minRateThousandths)))
	added := metered.p99 - bare.p99
	t.add("", "added p99", fmt.Sprintf("%s (limit %s) %s", added.Round(10*time.Microsecond), maxAddedP99, word(added <= maxAddedP99)))
	t.add("", "processor time a job", fmt.Sprintf("bare %s, host %s, added %s", microseconds(bare.cpu), microseconds(metered.cpu),
		microseconds(metered.cpu-bare.cpu)))
	t.add("", "a rate of 0.8 leaves the host", microseconds(bare.cpu*(1_000-minRateThousandths)/minRateThousandths)+" more a job: see the stages")
	t.add("", "processor time, bare over host", decimal(bare.cpu.Nanoseconds()*1_000/max(1, metered.cpu.Nanoseconds())))
}

func perSecond(s sample) int64 { return int64(time.Second) / max(1, s.wall.Nanoseconds()) }
