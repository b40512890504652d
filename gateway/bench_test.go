// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/gateway"
	"github.com/gpucoord/gpucoord/gateway/route"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// BenchmarkThroughTheGateway sends whole answers through a gateway with its ledger on disk, to two real hosts whose simulated engines
// answer at once, from 64 customers at a time. It reports the requests that were answered each second, how many authorisations each one
// took (a refused one is two more writes), and the processor time of all three.
func BenchmarkThroughTheGateway(b *testing.B) {
	const customers = 64
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = customers //nolint:forcetypeassert // it is one
	cfg := testConfig(b)
	cfg.AllowSimulated = true
	cfg.Limits.MaxConcurrentPerKey, cfg.Limits.RatePerSecond, cfg.Limits.RateBurst = customers, 1_000_000, 1_000_000
	cfg.Receipts.Interval = gateway.Duration(time.Second)
	var hosts []route.Host
	for i := range 2 {
		_, _, onChain := realHostOf(b, fmt.Sprintf("host %d", i), [32]byte{0xbb}, func(c *host.Config) { c.Recover = sigcheck.Recover })
		hosts = append(hosts, onChain)
	}
	f, _ := running(b, cfg, hosts...)
	k := f.newKey(1_000_000_000)
	var left, refused atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	start, cpu := time.Now(), cpuTime(b)
	var wait sync.WaitGroup
	for range customers {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				for f.complete(k.Key, chat(5)).status != http.StatusOK {
					refused.Add(1)
					time.Sleep(5 * time.Millisecond) // the hosts are full: the customer comes again
				}
			}
		})
	}
	wait.Wait()
	took, used := time.Since(start), cpuTime(b)-cpu
	b.StopTimer()
	b.ReportMetric(float64(b.N)/took.Seconds(), "req/s")
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-us/req")
	b.ReportMetric(float64(refused.Load())/float64(b.N), "refused/req")
	b.ReportMetric(f.tries()/float64(b.N), "authorisations/req")
	f.waitFor("all countersignatures", func() bool {
		return strings.Contains(string(f.adminDo(http.MethodGet, "/metrics", "", nil).body), `gpucoord_gateway_jobs_waiting{for="countersignature"} 0`)
	})
	b.ReportMetric((time.Since(start) - took).Seconds(), "s-behind")
}

// tries is how many authorisations were sent.
func (f *fixture) tries() (sum float64) {
	f.t.Helper()
	for line := range strings.Lines(string(f.adminDo(http.MethodGet, "/metrics", "", nil).body)) {
		var n float64
		if at := strings.Index(line, "} "); strings.HasPrefix(line, "gpucoord_gateway_tries_total{") && at > 0 {
			if _, err := fmt.Sscan(line[at+2:], &n); err != nil {
				f.t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
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
