// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
)

// BenchmarkAgainstReverseProxy sends the same jobs through the host and through a bare httputil.ReverseProxy to the same engine, in turns,
// and reports the ratio of their rates and what the host adds to the 99th percentile of latency. Client, engine and both proxies share
// the machine, so an engine without latency shows the CPU a job costs, one with latency what its customers notice.
func BenchmarkAgainstReverseProxy(b *testing.B) {
	payer := receipt.KeyAddress(key("payer"))
	fast := func([32]byte, [65]byte) ([20]byte, error) { return payer, nil } // what a C library costs next to pure Go
	for _, recovery := range []struct {
		name string
		f    receipt.Recover
	}{{"pureGo", nil}, {"free", fast}} {
		for _, ttft := range []time.Duration{0, 100 * time.Millisecond} {
			for _, shape := range []string{"unary", "stream"} {
				b.Run(fmt.Sprintf("recover=%s/ttft=%v/%s", recovery.name, ttft, shape), func(b *testing.B) {
					compare(b, recovery.f, ttft, shape == "stream")
				})
			}
		}
	}
}

// compare runs b.N jobs on each side with 32 clients, in 8 turns.
func compare(b *testing.B, recoverer receipt.Recover, ttft time.Duration, stream bool) {
	f := newFixture(b, func(c *host.Config, e *enginesim.Config) {
		c.Recover, c.Limits.MaxUncountersigned, e.TTFT = recoverer, 1<<30, ttft
	})
	f.chain.set(func(c *fakeChain) { c.view.AvailableUusdc, c.view.LimitUusdc = 1<<60, 1<<60 })
	target, err := url.Parse(f.cfg.EngineURL)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	bare := httptest.NewServer(proxy)
	defer bare.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

	const turns = 8
	var spent, used [2]time.Duration
	var latencies [2][]time.Duration
	for turn := range turns {
		n := b.N*(turn+1)/turns - b.N*turn/turns
		for side, base := range []string{bare.URL, f.server.URL} {
			requests := f.batch(b, base, n, stream)
			start, cpu := time.Now(), cpuTime(b)
			latencies[side] = append(latencies[side], sendAll(b, client, requests)...)
			spent[side] += time.Since(start)
			used[side] += cpuTime(b) - cpu
		}
	}
	for side := range latencies {
		slices.Sort(latencies[side])
	}
	p99 := func(side int) time.Duration { return latencies[side][len(latencies[side])*99/100] }
	b.ReportMetric(float64(b.N)/spent[0].Seconds(), "bare-req/s")
	b.ReportMetric(float64(b.N)/spent[1].Seconds(), "host-req/s")
	b.ReportMetric(float64((used[1]-used[0]).Microseconds())/float64(b.N), "added-cpu-us/req")
	b.ReportMetric(spent[0].Seconds()/spent[1].Seconds(), "rate-ratio")
	b.ReportMetric(float64((p99(1)-p99(0)).Microseconds())/1000, "added-p99-ms")
}

// cpuTime is the processor time of this process: other work on the machine does not change it.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// batch signs n jobs ahead, so that the client's work does not count.
func (f *fixture) batch(b *testing.B, base string, n int, stream bool) []*http.Request {
	b.Helper()
	requests := make([]*http.Request, n)
	for i := range requests {
		r := f.chat("16")
		if stream {
			r = f.streamed("16")
		}
		req, err := r.http(context.Background(), base)
		if err != nil {
			b.Fatal(err)
		}
		requests[i] = req
	}
	return requests
}

// sendAll sends the requests with 32 clients and returns how long each took.
func sendAll(b *testing.B, client *http.Client, requests []*http.Request) []time.Duration {
	b.Helper()
	took := make([]time.Duration, len(requests))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(requests); i = next.Add(1) - 1 {
				start := time.Now()
				resp, err := client.Do(requests[i])
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
					b.Errorf("status %d, %v", resp.StatusCode, err)
				}
				resp.Body.Close()
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return took
}
