// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"sync"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

const (
	// maxInFlight bounds the requests that wait for an answer; the trace waits when they are that many. It is below the open jobs that a
	// host grants a gateway, so that a speed-up that the machine cannot follow makes the replay slower and not the answers worse.
	maxInFlight = 24
	// requestTimeout bounds one request: the longest answer of a trace takes seconds here.
	requestTimeout = time.Minute
	// cancelAfterBytes is how much of a stream is read before its customer leaves.
	cancelAfterBytes = 2_000
	// sayEvery is how often replaying says how far it is.
	sayEvery = 5 * time.Second
	// spreadEpochs are the epochs that the requests are spread over when nobody says how fast to replay.
	spreadEpochs = 2.5
)

// Traffic is what became of the requests, as their customers saw it.
type Traffic struct {
	Sent, Served, Cancelled int
	// Direct are the receipts of the customer who pays an operator himself.
	Direct []receipt.Record
	// Refused counts answers other than the one asked for, by where they came from and their named error.
	Refused map[string]int
	// Faults are answers that nothing on purpose explains; the first few.
	Faults []string
	// Elapsed is how long replaying took, Span what it took when the trace was recorded.
	Elapsed, Span time.Duration
}

// replay sends requests at their times.
type replay struct {
	w      *World
	direct direct
	client *http.Client
	began  uint64          // Unix seconds
	epochs map[uint64]bool // in which hosts have served it

	mu  sync.Mutex
	out Traffic
}

// newReplay prepares to send requests.
func (w *World) newReplay() (*replay, error) {
	i, o := directOperator()
	payer, err := w.key(directCustomer)
	if err != nil {
		return nil, err
	}
	host, err := w.key(hostOf(o.name))
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the standard library's
	transport.MaxIdleConnsPerHost = maxInFlight
	return &replay{
		w:      w,
		direct: direct{key: payer, domain: w.domain, url: w.state.Ports.url("host", i), hostKey: receipt.KeyAddress(host)},
		client: &http.Client{Transport: transport, Timeout: requestTimeout},
		began:  now(),
		out:    Traffic{Refused: make(map[string]int)},
	}, nil
}

// run sends all requests, first being the number of the first, and returns when each has its answer.
func (r *replay) run(ctx context.Context, first int, requests []Request, speedup float64) error {
	began, said := time.Now(), time.Now()
	slots := make(chan struct{}, maxInFlight)
	var wait sync.WaitGroup
	defer wait.Wait()
	for i, request := range requests {
		due := began.Add(time.Duration(float64(request.At) / speedup))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Until(due)):
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case slots <- struct{}{}:
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer func() { <-slots }()
			r.one(ctx, jobOf(first+i, request))
		}()
		if time.Since(said) > sayEvery {
			said = time.Now()
			r.w.progress.say("replaying: %d of %d requests sent", i+1, len(requests))
		}
	}
	wait.Wait()
	r.mu.Lock()
	r.out.Elapsed += time.Since(began)
	r.out.Span += requests[len(requests)-1].At
	r.mu.Unlock()
	return ctx.Err()
}

// speedupFor is the speed that spreads requests over the epochs of spreadEpochs.
func speedupFor(requests []Request, epoch time.Duration) float64 {
	last := requests[len(requests)-1].At
	if last <= 0 {
		return 1
	}
	return float64(last) / (spreadEpochs * float64(epoch))
}

// one sends one job and notes what became of it.
func (r *replay) one(ctx context.Context, j job) {
	var err error
	where := "gateway"
	switch j.route {
	case routeDirect, routeExpired:
		where = "host"
		issued := now()
		if j.route == routeExpired {
			issued -= 2 * directTTLSeconds
		}
		var record receipt.Record
		if record, err = r.direct.ask(ctx, j, issued); err == nil {
			r.note(func(t *Traffic) { t.Direct = append(t.Direct, record) })
		}
	default:
		err = r.throughGateway(ctx, j)
	}
	r.note(func(t *Traffic) {
		t.Sent++
		var refused *Refused
		switch {
		case err == nil && j.route == routeCancel:
			t.Cancelled++
		case err == nil:
			t.Served++
		case errors.As(err, &refused):
			t.Refused[where+" "+refused.Code]++
		case ctx.Err() != nil: // the demo is ending
		case len(t.Faults) < 10:
			t.Faults = append(t.Faults, fmt.Sprintf("job %d (%s): %v", j.number, j.model(), err))
		}
	})
}

func (r *replay) note(change func(*Traffic)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.out)
}

// throughGateway sends a job as any OpenAI client would.
func (r *replay) throughGateway(ctx context.Context, j job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := gateways[j.gateway]
	url := r.w.state.Ports.url("gateway", j.gateway) + "/v1/chat/completions"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(j.body()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+r.w.apiKeys(g.name)[j.customer])
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return refusalOf(response)
	}
	if j.route == routeCancel {
		_, err := io.CopyN(io.Discard, response.Body, cancelAfterBytes)
		return err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if j.stream && !bytes.Contains(answer, []byte("data: [DONE]")) {
		return errors.New("the stream ended before [DONE]")
	}
	return nil
}

// refusals lists the named errors, most frequent first.
func (t *Traffic) refusals() []string {
	names := make([]string, 0, len(t.Refused))
	for name := range t.Refused {
		names = append(names, name)
	}
	sort.Slice(names, func(i, k int) bool {
		a, b := names[i], names[k]
		return t.Refused[a] > t.Refused[b] || t.Refused[a] == t.Refused[b] && a < b
	})
	return names
}
