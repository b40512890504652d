// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway/ledger"
	"github.com/gpucoord/gpucoord/host/wire"
)

const (
	// lateParallel is how many hosts a late pass talks to at once.
	lateParallel = 8
	// maxListBytes bounds a host's list of open receipts: 32 of them are about 30 KiB.
	maxListBytes = 1 << 20
	// sweepEvery is how often hosts are asked what they still wait for; sweepHosts how many of them, sweepBack how far back in time the
	// hosts of jobs are remembered.
	sweepEvery = time.Minute
	sweepHosts = 256
	sweepBack  = 24 * time.Hour
	// maxBackoff bounds the wait between two tries.
	maxBackoff = 10 * time.Minute
)

// openSweep remembers which hosts are to be asked for open receipts.
type openSweep struct {
	mu    sync.Mutex // guards what follows
	asked map[[20]byte]ledger.HostRef
	last  time.Time
}

// ask wants a host asked at the next pass: it said that it waits for countersignatures.
func (s *openSweep) ask(h ledger.HostRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = make(map[[20]byte]ledger.HostRef)
	}
	if len(s.asked) < sweepHosts {
		s.asked[h.Key] = h
	}
}

// take returns the hosts to ask, and whether all hosts of late are due.
func (s *openSweep) take(now time.Time) (hosts map[[20]byte]ledger.HostRef, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hosts, s.asked = s.asked, nil
	if hosts == nil {
		hosts = make(map[[20]byte]ledger.HostRef)
	}
	if all = now.Sub(s.last) >= sweepEvery; all {
		s.last = now
	}
	return hosts, all
}

// Late does one pass over what is late: countersignatures that did not get through, jobs without a receipt, and what hosts say they wait
// for. Each part is bounded; what is left waits for the next pass. Run calls it again and again.
func (g *Gateway) Late(ctx context.Context) error {
	now := time.Now()
	pending, err := g.ledger.Pending(ctx, now.Unix(), g.cfg.Receipts.Batch)
	if err != nil {
		return err
	}
	err = each(ctx, pending, func(ctx context.Context, j *ledger.Job) error { return g.sendCountersignature(ctx, j) })
	over := now.Add(-g.cfg.Timeouts.Job.std() - time.Minute).Unix() // no request lives that long
	open, openErr := g.ledger.OpenJobs(ctx, over, now.Unix(), g.cfg.Receipts.Batch)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	err = errors.Join(err, each(ctx, open, g.resolve))
	return errors.Join(err, g.sweepOpen(ctx, now))
}

// each does one thing for every item, a few at a time, and returns the errors of all.
func each[T any](ctx context.Context, items []T, do func(context.Context, *T) error) error {
	var group errgroup.Group
	group.SetLimit(lateParallel)
	var mu sync.Mutex
	var errs []error
	for i := range items {
		group.Go(func() error {
			if err := do(ctx, &items[i]); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	return errors.Join(errs...)
}

// hostAnswer is what a host says to a question about receipts.
type hostAnswer struct {
	status int
	header http.Header
	body   []byte
}

// askHost sends one small request to a host, at the endpoint it has on the chain now, or had when the job was sent.
func (g *Gateway) askHost(ctx context.Context, h ledger.HostRef, method, path string, body []byte) (*hostAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Receipts.Timeout.std())
	defer cancel()
	if now, ok := g.table.Host(h.Key); ok {
		h.Endpoint, h.SPKI = now.Endpoint, now.SPKI
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "gpucoord-gateway")
	header.Set(wire.HeaderAuth, wire.EncodeAuth(g.key, h.Key, uint64(max(time.Now().Unix(), 0)))) //nolint:gosec // not negative
	resp, err := g.upstream.do(ctx, method, h.Endpoint, path, h.SPKI, body, header)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxListBytes))
	if err != nil {
		return nil, err
	}
	return &hostAnswer{status: resp.StatusCode, header: resp.Header, body: b}, nil
}

// sendCountersignature delivers a settled job's countersignature and records whether it got through.
//
// Errors: the ledger's.
func (g *Gateway) sendCountersignature(ctx context.Context, j *ledger.Job) error {
	if j.State != ledger.StateSettled {
		return nil
	}
	body, err := json.Marshal(map[string]string{"signature": wire.Encode(j.SigFinal[:])})
	if err != nil {
		return fmt.Errorf("encode countersignature: %w", err)
	}
	answer, err := g.askHost(ctx, j.Host, http.MethodPost, "/v1/receipts/"+hex.EncodeToString(j.ID[:])+"/countersign", body)
	if err == nil {
		switch answer.status {
		case http.StatusOK, http.StatusNoContent:
			g.metrics.countersigned.WithLabelValues("sent").Inc()
			g.load.Leave(j.ID)
			return g.ledger.Sent(ctx, j.ID)
		case http.StatusBadRequest, http.StatusNotFound, http.StatusGone: // it will say the same again
			g.metrics.countersigned.WithLabelValues("refused").Inc()
			g.logger.WarnContext(ctx, "host refused a countersignature", jobAttr(j), slog.Int("status", answer.status),
				slog.String("code", readError(answer.body).code()))
			g.load.Leave(j.ID)
			return g.ledger.GiveUp(ctx, j.ID)
		}
	}
	g.metrics.countersigned.WithLabelValues("failed").Inc()
	if g.tooOld(j) {
		g.load.Leave(j.ID)
		return g.ledger.GiveUp(ctx, j.ID)
	}
	return g.retry(ctx, j)
}

func (g *Gateway) tooOld(j *ledger.Job) bool {
	return time.Now().Unix()-j.CreatedAt > int64(g.cfg.Receipts.GiveUp.std()/time.Second)
}

// retry puts a job off, twice as long each time.
func (g *Gateway) retry(ctx context.Context, j *ledger.Job) error {
	wait := g.cfg.Receipts.Interval.std()
	for range j.Sends {
		if wait >= maxBackoff {
			break
		}
		wait *= 2
	}
	return g.ledger.Retry(context.WithoutCancel(ctx), j.ID, time.Now().Add(min(wait, maxBackoff)).Unix())
}

// resolve asks the host for the receipt of a job whose request ended without one.
//
// A host that knows no receipt is believed when it has had the time to make one: then nothing was served that anybody could be asked to
// pay for. One that does not answer is asked again until the job is too old.
func (g *Gateway) resolve(ctx context.Context, j *ledger.Job) error {
	answer, err := g.askHost(ctx, j.Host, http.MethodGet, "/v1/receipts/"+hex.EncodeToString(j.ID[:]), nil)
	if ctx.Err() != nil {
		return nil // stopping
	}
	switch {
	case err == nil && answer.status == http.StatusOK:
		rec, err := wire.DecodeReceipt(answer.header.Get(wire.HeaderReceipt))
		if err != nil {
			return g.retryOrRelease(ctx, j)
		}
		return g.late(ctx, j, &rec)
	case err == nil && answer.status == http.StatusNotFound && g.graceOver(j):
		return ignoreClosed(g.release(ctx, j, j.Seen, reasonUnknown))
	}
	return g.retryOrRelease(ctx, j)
}

func (g *Gateway) retryOrRelease(ctx context.Context, j *ledger.Job) error {
	if g.tooOld(j) {
		return ignoreClosed(g.release(ctx, j, j.Seen, reasonGivenUp))
	}
	return g.retry(ctx, j)
}

func (g *Gateway) graceOver(j *ledger.Job) bool {
	return time.Now().Unix()-max(j.EndedAt, j.CreatedAt) >= int64(g.cfg.Receipts.Grace.std()/time.Second)
}

// late receives the receipt of an open job outside of its request.
func (g *Gateway) late(ctx context.Context, j *ledger.Job, rec *receipt.Record) error {
	_, err := g.receive(context.WithoutCancel(ctx), j, j.Seen, rec)
	return ignoreClosed(err)
}

// ignoreClosed drops the error of a job that somebody else has concluded meanwhile.
func ignoreClosed(err error) error {
	if errors.Is(err, ledger.ErrNotOpen) {
		return nil
	}
	return err
}

// sweepOpen asks hosts which receipts they still wait for.
func (g *Gateway) sweepOpen(ctx context.Context, now time.Time) error {
	hosts, all := g.sweep.take(now)
	if all {
		used, err := g.ledger.Hosts(ctx, now.Add(-sweepBack).Unix(), sweepHosts)
		if err != nil {
			return err
		}
		for _, h := range used {
			hosts[h.Key] = h
		}
	}
	list := make([]ledger.HostRef, 0, len(hosts))
	for _, h := range hosts {
		list = append(list, h)
	}
	return each(ctx, list, g.sweepHost)
}

// sweepHost works on one host's list. A host that does not answer is asked at the next sweep.
func (g *Gateway) sweepHost(ctx context.Context, h *ledger.HostRef) error {
	answer, err := g.askHost(ctx, *h, http.MethodGet, "/v1/receipts/open", nil)
	if err != nil || answer.status != http.StatusOK {
		return nil
	}
	var list struct {
		Receipts []struct {
			Receipt string `json:"receipt"`
		} `json:"receipts"`
	}
	if json.Unmarshal(answer.body, &list) != nil {
		return nil
	}
	for i, r := range list.Receipts {
		if i == g.cfg.Receipts.Batch {
			break
		}
		rec, err := wire.DecodeReceipt(r.Receipt)
		if err != nil {
			continue
		}
		if err := g.openReceipt(ctx, &rec); err != nil {
			return err
		}
	}
	return nil
}

// openReceipt settles an open job with a receipt that its host waits with, or sends the countersignature of a settled one again. Receipts
// of other jobs are not countersigned: the gateway released or rejected them, or never authorised them.
func (g *Gateway) openReceipt(ctx context.Context, rec *receipt.Record) error {
	j, err := g.ledger.Job(ctx, rec.JobID(g.domain))
	switch {
	case errors.Is(err, ledger.ErrNoJob):
		return nil
	case err != nil:
		return err
	case j.State == ledger.StateSettled:
		return g.sendCountersignature(ctx, &j)
	case j.State == ledger.StateOpen && j.EndedAt > 0:
		return g.late(ctx, &j, rec)
	}
	return nil
}
