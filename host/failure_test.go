// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
)

// last returns the newest logged record after all requests have ended.
func (f *fixture) last() receipt.Record {
	f.t.Helper()
	f.server.Close()
	recs := f.logged()
	if len(recs) == 0 {
		f.t.Fatal("no receipt was logged")
	}
	return recs[len(recs)-1]
}

func TestEngineFailureCostsNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		fault   enginesim.Fault
		code    string
		status  int
		outcome receipt.Outcome
	}{
		"error":      {enginesim.Fault{Kind: enginesim.FaultError}, "ENGINE_FAILED", 502, receipt.OutcomeUpstreamFail},
		"overloaded": {enginesim.Fault{Kind: enginesim.FaultOverloaded}, "ENGINE_BUSY", 503, receipt.OutcomeUpstreamFail},
		"dropped":    {enginesim.Fault{Kind: enginesim.FaultDrop}, "ENGINE_UNREACHABLE", 502, receipt.OutcomeUpstreamFail},
		"no usage":   {enginesim.Fault{Kind: enginesim.FaultNoUsage}, "ENGINE_NO_USAGE", 502, receipt.OutcomeUpstreamFail},
		"bad usage":  {enginesim.Fault{Kind: enginesim.FaultNegative}, "ENGINE_NO_USAGE", 502, receipt.OutcomeUpstreamFail},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.engine.SetFault(tc.fault)
			a := f.send(f.chat("5"))
			rec := f.record(a.header.Get(wire.HeaderReceipt))
			if a.status != tc.status || a.code() != tc.code || rec.Outcome != tc.outcome || rec.Amount != 0 || rec.OutputTokens != 0 {
				t.Fatalf("got %d %s, %+v", a.status, a.body, rec)
			}
			if logged := f.logged(); len(logged) != 1 || logged[0] != rec {
				t.Fatalf("log: got %+v", logged)
			}
		})
	}
}

func TestUnreachableEngine(t *testing.T) {
	f := newFixture(t, nil)
	f.stop()
	f.cfg.EngineURL = "http://127.0.0.1:1"
	f.start()
	a := f.send(f.chat("5"))
	if rec := f.record(a.header.Get(wire.HeaderReceipt)); a.code() != "ENGINE_UNREACHABLE" || rec.Outcome != receipt.OutcomeUpstreamFail {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if a := f.get("/v1/models", ""); a.code() != "ENGINE_UNREACHABLE" {
		t.Fatalf("models: got %d %s", a.status, a.body)
	}
}

func TestEnginesRefusalIsPassedOn(t *testing.T) {
	f := newFixture(t, nil)
	r := f.chat("999999")
	a := f.send(r)
	rec := f.record(a.header.Get(wire.HeaderReceipt))
	if a.status != http.StatusBadRequest || !bytes.Contains(a.body, []byte("maximum context length")) {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if rec.Outcome != receipt.OutcomeRefused || rec.Amount != 0 || rec.OutputCommit != wire.Commit(r.salt, a.body) {
		t.Fatalf("got %+v", rec)
	}
}

func TestStreamThatBreaksTellsWhyAndCostsNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		fault enginesim.Fault
		code  string
	}{
		"cut":         {enginesim.Fault{Kind: enginesim.FaultCut, After: 3}, "ENGINE_FAILED"},
		"error event": {enginesim.Fault{Kind: enginesim.FaultErrorEvent, After: 3}, "ENGINE_FAILED"},
		"giant event": {enginesim.Fault{Kind: enginesim.FaultGiantEvent, After: 3}, "ENGINE_FAILED"},
		"no usage":    {enginesim.Fault{Kind: enginesim.FaultNoUsage}, "ENGINE_NO_USAGE"},
		"bad usage":   {enginesim.Fault{Kind: enginesim.FaultNegative}, "ENGINE_NO_USAGE"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.engine.SetFault(tc.fault)
			a := f.send(f.streamed("10"))
			stream, encoded := splitStream(t, a.body)
			rec := f.record(encoded)
			if rec.Outcome != receipt.OutcomeUpstreamFail || rec.Amount != 0 || a.trailer.Get(wire.HeaderReceipt) != encoded {
				t.Fatalf("got %+v", rec)
			}
			if !bytes.Contains(stream, []byte(`data: {"error":{"type":"server_error","code":"`+tc.code+`"`)) {
				t.Fatalf("no error event in %s", stream)
			}
			if tc.code == "ENGINE_FAILED" && bytes.Contains(stream, []byte("[DONE]")) {
				t.Fatalf("a broken stream looks whole: %s", stream)
			}
		})
	}
}

func TestStreamThatBreaksBeforeItBeginsHasAStatus(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultErrorEvent})
	a := f.send(f.streamed("10"))
	if rec := f.record(a.header.Get(wire.HeaderReceipt)); a.status != http.StatusBadGateway || rec.Outcome != receipt.OutcomeUpstreamFail {
		t.Fatalf("got %d %s", a.status, a.body)
	}
}

func TestHangingEngineIsCut(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Timeouts.EngineIdle = 30 * time.Millisecond })
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultHang, After: 2})
	stream, encoded := splitStream(t, f.send(f.streamed("10")).body)
	if rec := f.record(encoded); rec.Outcome != receipt.OutcomeUpstreamFail || !bytes.Contains(stream, []byte("ENGINE_FAILED")) {
		t.Fatalf("got %+v, %s", rec, stream)
	}
}

func TestJobEndsWithItsTimeLimit(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Timeouts.Job = 30 * time.Millisecond })
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultHang, After: 2})
	for name, r := range map[string]*request{"stream": f.streamed("10"), "unary": f.chat("10")} {
		a := f.send(r)
		if !bytes.Contains(a.body, []byte(`"JOB_DEADLINE"`)) {
			t.Fatalf("%s: got %d %s", name, a.status, a.body)
		}
	}
	for _, rec := range f.logged() {
		if rec.Outcome != receipt.OutcomeProviderFail || rec.Amount != 0 {
			t.Fatalf("got %+v", rec)
		}
	}
}

func TestClientThatLeavesPaysForWhatItGot(t *testing.T) {
	for name, tc := range map[string]struct {
		continuous     bool
		output, amount uint64
	}{
		"usage known":   {true, 2, 3}, // 5 × 0.2 + 2 × 1
		"usage unknown": {false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.ContinuousUsage = tc.continuous })
			f.hang(t).leave()
			rec := f.last()
			if rec.Outcome != receipt.OutcomeUserCancel || rec.OutputTokens != tc.output || rec.Amount != tc.amount {
				t.Fatalf("got %+v", rec)
			}
		})
	}
}

func TestClientThatTakesNothingIsCutOff(t *testing.T) {
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Timeouts.Write = 50 * time.Millisecond })
	r := f.request(`{"model":"base","stream":true,"messages":[],"max_tokens":100000}`) // some 20 MB of events, more than the sockets hold
	req, err := r.http(t.Context(), f.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer has begun; nothing more is read
		t.Fatal(err)
	}
	rec := f.last()
	if rec.Outcome != receipt.OutcomeUserIdle || rec.Amount != 0 {
		t.Fatalf("got %+v", rec)
	}
	f.behind.Close() // waits for the engine's handler
	if st := f.engine.Stats(); st.Aborted != 1 || st.OutputTokens >= 100_000 {
		t.Fatalf("the engine went on for nobody: %+v", st)
	}
}
