// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
)

func TestAdminNeedsItsToken(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/metrics", "/internal/v1/log?offset=0", "/internal/v1/status"} {
		if w := f.admin(path, "wrong"); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: got %d", path, w.Code)
		}
		if w := f.admin(path, adminToken); w.Code != http.StatusOK {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	if a := f.get("/metrics", ""); a.status != http.StatusNotFound {
		t.Errorf("the public interface serves /metrics: %d", a.status)
	}
}

func TestRelayerReadsTheLogInSteps(t *testing.T) {
	f := newFixture(t, nil)
	for range 3 {
		f.send(f.chat("1"))
	}
	var frames []byte
	next := "0"
	for {
		w := f.admin("/internal/v1/log?limit=1&offset="+next, adminToken)
		if w.Code != http.StatusOK {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		frames = append(frames, w.Body.Bytes()...)
		if w.Header().Get(wire.HeaderNextOffset) == next {
			if next != w.Header().Get(wire.HeaderEndOffset) {
				t.Fatalf("stopped at %s, the log ends at %s", next, w.Header().Get(wire.HeaderEndOffset))
			}
			break
		}
		next = w.Header().Get(wire.HeaderNextOffset)
	}
	if whole := f.admin("/internal/v1/log?offset=0", adminToken).Body.Bytes(); !bytes.Equal(frames, whole) || len(f.logged()) != 3 {
		t.Fatalf("got %d bytes in steps, %d at once", len(frames), len(whole))
	}
	end, err := strconv.Atoi(next)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"offset=x": 400, "offset=-1": 400, "": 400, "offset=0&limit=0": 400, "offset=0&limit=10001": 400, "offset=1": 400,
		"offset=" + strconv.Itoa(end+1): 416,
	} {
		if w := f.admin("/internal/v1/log?"+query, adminToken); w.Code != want {
			t.Errorf("%q: got %d %s, want %d", query, w.Code, w.Body, want)
		}
	}
}

func TestStatusSaysWhatIsWrong(t *testing.T) {
	f := newFixture(t, nil)
	f.send(f.chat("1"))
	f.chain.set(func(c *fakeChain) { c.watermark = 9 })
	var st struct {
		HighSeq         uint64 `json:"high_seq"`
		Uncountersigned int    `json:"receipts_uncountersigned"`
		Errors          []string
	}
	if err := json.Unmarshal(f.admin("/internal/v1/status", adminToken).Body.Bytes(), &st); err != nil {
		t.Fatal(err)
	}
	if st.HighSeq != 1 || st.Uncountersigned != 1 || len(st.Errors) != 1 || st.Errors[0] != "HOST_BEHIND_CHAIN" {
		t.Fatalf("got %+v", st)
	}
}

func TestNothingOfAClientIsKept(t *testing.T) {
	const marker = "xyzzy-secret-prompt"
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { c.Limits.RatePerSecond, c.Limits.RateBurst = 1000, 1000 })
	r := f.request(`{"model":"base","messages":[{"content":"` + marker + `"}],"max_tokens":3,"user":"` + marker + `"}`)
	if a := f.send(r); a.status != http.StatusOK {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	f.engine.SetFault(enginesim.Fault{Kind: enginesim.FaultCut, After: 1})
	f.send(f.request(`{"model":"base","stream":true,"messages":[{"content":"` + marker + `"}]}`))
	bad := f.request(`{"model":"` + marker + `"}`)
	if a := f.send(bad); a.code() != "UNKNOWN_MODEL" || bytes.Contains(a.body, []byte(marker)) {
		t.Fatalf("got %s", a.body)
	}
	kept := map[string]string{
		"metrics": f.admin("/metrics", adminToken).Body.String(),
		"status":  f.admin("/internal/v1/status", adminToken).Body.String(),
		"logs":    f.logs.String(),
	}
	err := filepath.WalkDir(f.cfg.DataDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		kept[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range kept {
		for _, secret := range []string{marker, enginesim.Label, "127.0.0.1"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", where, secret)
			}
		}
	}
	if !strings.Contains(kept["metrics"], `gpucoord_host_jobs_total{model="base",outcome="OK"} 1`) ||
		!strings.Contains(kept["metrics"], `gpucoord_host_refusals_total{code="UNKNOWN_MODEL"} 1`) {
		t.Errorf("metrics: %s", kept["metrics"])
	}
}
