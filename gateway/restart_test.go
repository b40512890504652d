// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// image copies the ledger as it is on disk at this moment: what a gateway finds that was killed here. The copy becomes the ledger of the
// next start.
func (f *fixture) image() string {
	f.t.Helper()
	path := filepath.Join(f.t.TempDir(), "ledger.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(f.cfg.Ledger + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(path+suffix, b, 0o600)
		}
		if err != nil {
			f.t.Errorf("copy ledger: %v", err)
		}
	}
	return path
}

// restartFrom starts a gateway that finds an image, after the end of the one that was killed.
func (f *fixture) restartFrom(image string) {
	f.t.Helper()
	f.stop()
	f.cfg.Ledger = image
	f.start()
	for range 3 {
		f.late()
	}
}

// TestKilledAnywhereItPaysOnce kills the gateway at each step of a job. Whatever the host has done by then is what the customer pays, and the
// host gets its countersignature.
func TestKilledAnywhereItPaysOnce(t *testing.T) {
	for _, request := range []string{chat(5), streamed(5)} {
		for name, c := range map[string]struct {
			kill          func(f *fixture, take func()) // calls take at the moment of the kill
			spent         uint64
			state         string
			countersigned int
		}{
			"reserved, not sent": {spent: 0, state: "released", kill: func(f *fixture, take func()) {
				f.hosts[0].set(func(h *fakeHost) {
					h.serve = func(http.ResponseWriter, *http.Request, *fakeJob) {
						take()
						panic(http.ErrAbortHandler) // the host knows nothing
					}
				})
			}},
			"sent, served later": {spent: 20, state: "settled", countersigned: 1, kill: func(f *fixture, take func()) {
				f.hosts[0].set(func(h *fakeHost) {
					h.serve = func(w http.ResponseWriter, r *http.Request, j *fakeJob) {
						take()
						h.honest(w, r, j)
					}
				})
			}},
			"sent, broken off by the kill": {spent: 14, state: "settled", countersigned: 1, kill: func(f *fixture, take func()) {
				f.hosts[0].set(func(h *fakeHost) {
					h.serve = func(_ http.ResponseWriter, _ *http.Request, j *fakeJob) {
						take()
						h.sign(j, receipt.OutcomeUserCancel, 2, [32]byte{})
						panic(http.ErrAbortHandler)
					}
				})
			}},
			"answered, receipt withheld": {spent: 20, state: "settled", countersigned: 1, kill: func(f *fixture, _ func()) {
				f.hosts[0].set(func(h *fakeHost) { h.withhold = true })
			}},
			"receipt stored, not countersigned": {spent: 20, state: "settled", countersigned: 1, kill: func(*fixture, func()) {}},
		} {
			t.Run(name, func(t *testing.T) {
				f := newFixture(t, 1, nil)
				k := f.newKey(100_000)
				var image string
				c.kill(f, func() { image = f.image() })
				f.complete(k.Key, request)
				if image == "" {
					image = f.image()
				}
				f.restartFrom(image)
				f.wantCredit(k, 100_000-c.spent, 0, c.spent)
				if used := f.usage(k); len(used) != 1 || used[0].State != c.state || used[0].Amount != c.spent {
					t.Errorf("got %+v", used)
				}
				if got := f.hosts[0].countersigned(); got != c.countersigned {
					t.Errorf("%d countersigned", got)
				}
				f.restartFrom(f.image())
				f.wantCredit(k, 100_000-c.spent, 0, c.spent)
			})
		}
	}
}

func TestKilledAfterSendingTheCountersignature(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(100_000)
	f.complete(k.Key, chat(5))
	image := f.image()
	f.late() // the host has it, the image does not know
	f.restartFrom(image)
	f.wantCredit(k, 100_000-20, 0, 20)
	if got := f.hosts[0].countersigned(); got != 1 {
		t.Errorf("%d countersigned", got)
	}
	sent := f.hosts[0].countersigns
	f.late()
	if f.hosts[0].countersigns != sent {
		t.Error("sent again and again")
	}
}
