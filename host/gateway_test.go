// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
)

// proof is the payer's proof of its key at a time relative to now.
func (f *fixture) proof(k *receipt.PrivateKey, seconds int64) string {
	return wire.EncodeAuth(k, receipt.KeyAddress(f.key), uint64(time.Now().Unix()+seconds))
}

func (f *fixture) countersign(rec *receipt.Record, signer *receipt.PrivateKey) *answer {
	f.t.Helper()
	sig := receipt.Sign(signer, rec.Digest(domain))
	id := rec.JobID(domain)
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost,
		f.server.URL+"/v1/receipts/"+hex.EncodeToString(id[:])+"/countersign", strings.NewReader(`{"signature":"`+wire.Encode(sig[:])+`"}`))
	if err != nil {
		f.t.Fatal(err)
	}
	return f.do(req)
}

type openList struct {
	Receipts []struct {
		JobID   string `json:"job_id"`
		Receipt string
	}
	Running, Limit int
}

func (f *fixture) open() openList {
	f.t.Helper()
	a := f.get("/v1/receipts/open", f.proof(f.payer, 0))
	var list openList
	if err := json.Unmarshal(a.body, &list); err != nil || a.status != http.StatusOK {
		f.t.Fatalf("open receipts: %d %s", a.status, a.body)
	}
	return list
}

func TestGatewayCountersignsToGoOn(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.MaxUncountersigned = 2 })
	first := f.record(f.send(f.chat("5")).header.Get(wire.HeaderReceipt))
	f.send(f.chat("5"))
	a := f.send(f.chat("5"))
	var refused struct {
		Error struct {
			Code string
			Jobs []string
		}
	}
	if err := json.Unmarshal(a.body, &refused); err != nil {
		t.Fatal(err)
	}
	firstID := first.JobID(domain)
	if a.status != http.StatusTooManyRequests || refused.Error.Code != "TOO_MANY_OPEN" || len(refused.Error.Jobs) != 2 ||
		refused.Error.Jobs[0] != hex.EncodeToString(firstID[:]) {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	list := f.open()
	if len(list.Receipts) != 2 || list.Limit != 2 || list.Running != 0 || list.Receipts[0].JobID != refused.Error.Jobs[0] {
		t.Fatalf("got %+v", list)
	}
	open := f.record(list.Receipts[0].Receipt)
	if a := f.countersign(&open, key("someone")); a.status != http.StatusBadRequest || a.code() != "BAD_COUNTERSIGNATURE" {
		t.Fatalf("another key: got %d %s", a.status, a.body)
	}
	for range 2 { // twice is no error
		if a := f.countersign(&open, f.payer); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	if list := f.open(); len(list.Receipts) != 1 {
		t.Fatalf("got %+v", list)
	}
	if a := f.send(f.chat("5")); a.status != http.StatusOK {
		t.Fatalf("after the countersignature: got %d %s", a.status, a.body)
	}
	f.checkCountersigned(firstID)
	f.stop()
	f.start()
	f.checkCountersigned(firstID)
	if list := f.open(); len(list.Receipts) != 2 {
		t.Fatalf("after a restart: got %+v", list)
	}
}

// checkCountersigned asks for a receipt and expects all its signatures, and one FINAL frame in the log.
func (f *fixture) checkCountersigned(id [32]byte) {
	f.t.Helper()
	a := f.get("/v1/receipts/"+hex.EncodeToString(id[:]), f.proof(f.payer, 0))
	if rec := f.record(a.header.Get(wire.HeaderReceipt)); !rec.Countersigned {
		f.t.Fatalf("got %s", a.body)
	}
	finals := 0
	for b := f.admin("/internal/v1/log?offset=0", adminToken).Body.Bytes(); len(b) > 0; {
		frame, rest, err := receiptlog.Next(b)
		if err != nil {
			f.t.Fatal(err)
		}
		if frame.Kind == receiptlog.KindFinal {
			finals++
		}
		b = rest
	}
	if finals != 1 {
		f.t.Fatalf("got %d FINAL frames", finals)
	}
}

func TestRunningJobsCountAsOpen(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.MaxUncountersigned = 1 })
	f.hang(t)
	if a := f.send(f.chat("1")); a.code() != "TOO_MANY_OPEN" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if list := f.open(); list.Running != 1 || len(list.Receipts) != 0 {
		t.Fatalf("got %+v", list)
	}
}

func TestOpenJobsUseUpTheCover(t *testing.T) {
	f := newFixture(t, nil)
	f.chain.set(func(c *fakeChain) { c.view.LimitUusdc = 1_000_000 })
	if a := f.send(f.chat("5")); a.status != http.StatusOK {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if a := f.send(f.chat("5")); a.code() != "SETTLER_UNFUNDED" { // 1,000,000 again, and 6 are open
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestReceiptsNeedAProofOfTheKey(t *testing.T) {
	f := newFixture(t, nil)
	rec := f.record(f.send(f.chat("5")).header.Get(wire.HeaderReceipt))
	id := rec.JobID(domain)
	path := "/v1/receipts/" + hex.EncodeToString(id[:])
	otherHost := wire.EncodeAuth(f.payer, [20]byte{1}, uint64(time.Now().Unix()))
	for name, tc := range map[string]struct {
		path, proof, code string
	}{
		"no proof":           {path, "", "AUTH_MISSING"},
		"malformed":          {path, "AAAA", "AUTH_MISSING"},
		"too old":            {path, f.proof(f.payer, -70), "AUTH_STALE"},
		"in the future":      {path, f.proof(f.payer, 70), "AUTH_STALE"},
		"for another host":   {path, otherHost, "AUTH_BAD_SIGNATURE"},
		"another payer":      {path, f.proof(key("someone"), 0), "RECEIPT_NOT_FOUND"},
		"unknown job":        {"/v1/receipts/" + strings.Repeat("00", 32), f.proof(f.payer, 0), "RECEIPT_NOT_FOUND"},
		"no job id":          {"/v1/receipts/zz", f.proof(f.payer, 0), "RECEIPT_NOT_FOUND"},
		"open list no proof": {"/v1/receipts/open", "", "AUTH_MISSING"},
	} {
		if a := f.get(tc.path, tc.proof); a.code() != tc.code {
			t.Errorf("%s: got %d %s", name, a.status, a.body)
		}
	}
	if a := f.get(path, f.proof(f.payer, 0)); a.status != http.StatusOK || f.record(a.header.Get(wire.HeaderReceipt)) != rec {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if list := f.open(); len(list.Receipts) != 1 {
		t.Fatalf("got %+v", list)
	}
}

func TestFreeReceiptsAreNoRisk(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.MaxUncountersigned = 1 })
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultError})
	for range 3 {
		if a := f.send(f.chat("5")); a.code() != "ENGINE_FAILED" {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
	rec := f.logged()[0]
	if a := f.countersign(&rec, f.payer); a.status != http.StatusOK { // its report of a failure is worth signing all the same
		t.Fatalf("got %d %s", a.status, a.body)
	}
}
