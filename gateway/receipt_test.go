// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/gateway"
)

func TestWrongReceiptsAreRejectedByName(t *testing.T) {
	for want, tamper := range map[string]func(*receipt.Record){
		"WRONG_AUTH":      func(r *receipt.Record) { r.Auth.Nonce++; r.SigPayer = receipt.Sign(key("gateway"), r.JobID(domain)) },
		"WRONG_HOST":      func(r *receipt.Record) { r.HostID[0]++ },
		"WRONG_EPOCH":     func(r *receipt.Record) { r.Epoch = epoch + 2 },
		"WRONG_OUTCOME":   func(r *receipt.Record) { r.Outcome = receipt.OutcomeUserCancel },
		"WRONG_TOKENS":    func(r *receipt.Record) { r.OutputTokens++; r.Amount += 2 },
		"WRONG_AMOUNT":    func(r *receipt.Record) { r.Amount++ },
		"WRONG_OUTPUT":    func(r *receipt.Record) { r.OutputCommit[0]++ },
		"AMOUNT_OVER_MAX": func(r *receipt.Record) { r.Amount = r.Auth.MaxAmount + 1 },
		"TIME_ORDER":      func(r *receipt.Record) { r.ServedAt = r.Auth.ExpiresAt + 1 },
		"BAD_PAYER_SIG":   func(r *receipt.Record) { r.SigPayer = receipt.Sign(key("host 0"), r.JobID(domain)) },
		"BAD_OPERATOR_SIG": func(r *receipt.Record) {
			r.Auth.Operator[0]++
			r.SigPayer = receipt.Sign(key("gateway"), r.JobID(domain))
		},
	} {
		for kind, request := range map[string]string{"whole": chat(5), "stream": streamed(5)} {
			t.Run(want+" "+kind, func(t *testing.T) {
				f := newFixture(t, 1, nil)
				k := f.newKey(100_000)
				f.hosts[0].set(func(h *fakeHost) { h.tamper = tamper })
				a := f.complete(k.Key, request)
				if a.status != http.StatusOK || a.header.Get(gateway.HeaderReceiptID)+a.trailer.Get(gateway.HeaderReceiptID) != "" {
					t.Fatalf("got %d %v %s", a.status, a.header, a.body) // the customer has his answer, and no receipt
				}
				used := f.usage(k)
				if len(used) != 1 || used[0].State != "rejected" || used[0].Reason != want {
					t.Fatalf("got %+v", used)
				}
				f.wantCredit(k, 100_000, 0, 0)
				for range 2 {
					f.late()
				}
				if f.hosts[0].countersigned() != 0 || f.hosts[0].countersigns != 0 {
					t.Error("countersigned")
				}
				if a := f.complete(k.Key, request); a.code() != "NO_HOST" {
					t.Errorf("a host that signed a wrong receipt serves on: %d %s", a.status, a.body)
				}
			})
		}
	}
}

func TestForeignSignatureIsNoReceipt(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) { h.tamper = func(*receipt.Record) { h.key = key("somebody else") } })
	f.complete(k.Key, chat(5))
	if used := f.usage(k); len(used) != 1 || used[0].Reason != "BAD_OPERATOR_SIG" {
		t.Fatalf("got %+v", used)
	}
}

func TestAnswerWithoutUsageIsNotPaid(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, _ *http.Request, j *fakeJob) {
			begin(w)
			send(w, "data: {\"choices\":[{\"delta\":{}}]}\n\ndata: [DONE]\n\n")
			h.endStream(w, h.sign(j, receipt.OutcomeOK, 5, [32]byte{}))
		}
	})
	f.complete(k.Key, streamed(5))
	if used := f.usage(k); len(used) != 1 || used[0].State != "rejected" || used[0].Reason != "NO_USAGE" {
		t.Fatalf("got %+v", used)
	}
}

func TestLateReceiptIsFetchedAndCheckedAgainstWhatWasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		tamper func(*receipt.Record)
		state  string
		spent  uint64
	}{
		"right": {nil, "settled", 20},
		"wrong": {func(r *receipt.Record) { r.OutputTokens++; r.Amount += 2 }, "rejected", 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 1, nil)
			k := f.newKey(100_000)
			f.hosts[0].set(func(h *fakeHost) { h.withhold, h.tamper = true, c.tamper })
			for _, request := range []string{chat(5), streamed(5)} {
				if a := f.complete(k.Key, request); a.status != http.StatusOK {
					t.Fatalf("got %d %s", a.status, a.body)
				}
			}
			reserved := f.hosts[0].sent()[0].auth.MaxAmount + f.hosts[0].sent()[1].auth.MaxAmount
			f.wantCredit(k, 100_000-reserved, reserved, 0)
			f.late()
			f.wantCredit(k, 100_000-2*c.spent, 0, 2*c.spent)
			for _, j := range f.usage(k) {
				if j.State != c.state {
					t.Errorf("got %+v", j)
				}
			}
			f.late()
			if got := uint64(f.hosts[0].countersigned()); got*20 != 2*c.spent {
				t.Errorf("%d countersigned", got)
			}
		})
	}
}

func TestJobThatNobodyKnowsIsReleasedAfterTheGrace(t *testing.T) {
	f := newFixture(t, 1, func(c *gateway.Config) { c.Receipts.Grace = gateway.Duration(time.Hour) })
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, _ *http.Request, j *fakeJob) { h.events(w, j, 5) }
	})
	f.complete(k.Key, streamed(5))
	reserved := f.hosts[0].sent()[0].auth.MaxAmount
	f.late()
	f.wantCredit(k, 100_000-reserved, reserved, 0)
	f.cfg.Receipts.Grace = gateway.Duration(time.Nanosecond)
	f.stop()
	f.start()
	f.late()
	f.wantCredit(k, 100_000, 0, 0)
	if used := f.usage(k); used[0].State != "released" || used[0].Reason != "UNKNOWN" {
		t.Fatalf("got %+v", used)
	}
}

func TestHostThatDoesNotAnswerIsAskedUntilTheJobIsTooOld(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) { h.withhold = true })
	f.complete(k.Key, chat(5))
	reserved := f.hosts[0].sent()[0].auth.MaxAmount
	f.hosts[0].server.Close()
	f.late()
	f.wantCredit(k, 100_000-reserved, reserved, 0)
	f.cfg.Receipts.GiveUp = gateway.Duration(time.Nanosecond)
	f.stop()
	f.start()
	f.waitFor("the job to be released", func() bool {
		f.late()
		used := f.usage(k)
		return used[0].State == "released" && used[0].Reason == "GIVEN_UP"
	})
	f.wantCredit(k, 100_000, 0, 0)
}

func TestCountersignatureIsSentUntilItGetsThrough(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.hosts[0].set(func(h *fakeHost) { h.refuseCountersign = http.StatusServiceUnavailable })
	f.complete(k.Key, chat(5))
	f.late()
	if f.hosts[0].countersigns == 0 || f.hosts[0].countersigned() != 0 {
		t.Fatalf("%d sent", f.hosts[0].countersigns)
	}
	f.hosts[0].set(func(h *fakeHost) { h.refuseCountersign = 0 })
	f.waitFor("the countersignature", func() bool { f.late(); return f.hosts[0].countersigned() == 1 })
	sent := f.hosts[0].countersigns
	f.late()
	if f.hosts[0].countersigns != sent {
		t.Error("sent again after it got through")
	}
	f.wantCredit(k, 100_000-20, 0, 20)
}

func TestCountersignatureThatTheHostRefusesIsGivenUp(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.complete(k.Key, chat(5))
	f.hosts[0].set(func(h *fakeHost) { h.refuseCountersign = http.StatusNotFound })
	f.late()
	f.hosts[0].set(func(h *fakeHost) { h.refuseCountersign = 0 })
	before := f.hosts[0].countersigns
	f.late()
	if before == 0 || f.hosts[0].countersigns != before {
		t.Errorf("sent %d, then %d times", before, f.hosts[0].countersigns)
	}
	f.wantCredit(k, 100_000-20, 0, 20) // the receipt was right
}

func TestHostThatWaitsIsServedFromItsOpenList(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.complete(k.Key, chat(5))
	f.late() // countersigned; the first sweep of open lists is done
	f.hosts[0].set(func(h *fakeHost) {
		clear(h.finals) // as after the loss of its newest writes
		h.serve = refusal(429, "TOO_MANY_OPEN")
		h.receipts[[32]byte{1}] = foreignReceipt(h)
	})
	if a := f.complete(k.Key, chat(5)); a.code() != "HOSTS_FAILED" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.late()
	if got := f.hosts[0].countersigned(); got != 1 {
		t.Fatalf("%d countersigned", got) // its own, and none that the gateway does not know
	}
	f.wantCredit(k, 100_000-20, 0, 20)
}

// foreignReceipt is a receipt over an authorisation that the ledger does not hold, though the gateway's key signed it.
func foreignReceipt(h *fakeHost) *receipt.Record {
	now := uint64(time.Now().Unix())
	rec := &receipt.Record{
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(key("gateway")), Operator: receipt.KeyAddress(h.key), ModelID: modelID,
			MaxAmount: 10, Nonce: 1, IssuedAt: now, ExpiresAt: now + 10,
		},
		HostID: h.id, Epoch: epoch, Seq: 99, Outcome: receipt.OutcomeOK, PromptTokens: 10, Amount: 10, ServedAt: now,
	}
	rec.SigPayer = receipt.Sign(key("gateway"), rec.JobID(domain))
	rec.SigOperator = receipt.Sign(h.key, rec.Digest(domain))
	return rec
}

func TestCustomerWhoLeavesPaysForWhatCame(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	left := make(chan struct{})
	f.hosts[0].set(func(h *fakeHost) {
		h.serve = func(w http.ResponseWriter, r *http.Request, j *fakeJob) {
			begin(w)
			for i := range uint64(3) {
				send(w, token(i))
			}
			<-r.Context().Done() // the gateway breaks off
			h.sign(j, receipt.OutcomeUserCancel, 3, [32]byte{})
			close(left)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.server.URL+"/v1/chat/completions", strings.NewReader(streamed(50)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+k.Key)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if _, err := io.ReadFull(resp.Body, buf); err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = resp.Body.Close()
	<-left
	f.waitFor("the receipt", func() bool { f.late(); return f.usage(k)[0].State == "settled" })
	f.wantCredit(k, 100_000-16, 0, 16) // 10 prompt tokens and 3 output tokens
	f.waitFor("the countersignature", func() bool { f.late(); return f.hosts[0].countersigned() == 1 })
}
