// SPDX-License-Identifier: Apache-2.0

package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
	"github.com/gpucoord/gpucoord/relayer/serve"
	"github.com/gpucoord/gpucoord/relayer/store"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestDAFilesAreServedByHashAndNothingElse(t *testing.T) {
	files, err := da.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sum, err := files.Write([][]byte{bytes.Repeat([]byte{7}, 533)})
	if err != nil {
		t.Fatal(err)
	}
	h, name := serve.Public(files), fmt.Sprintf("%x", sum)
	good := get(t, h, http.MethodGet, "/da/"+name)
	if good.Code != http.StatusOK || good.Body.Len() != 535 || good.Header().Get("ETag") != `"`+name+`"` {
		t.Errorf("got %d, %d bytes", good.Code, good.Body.Len())
	}
	for path, want := range map[string]int{
		"/da/" + strings.ToUpper(name): 404, "/da/" + name[:62]: 404, "/da/" + strings.Repeat("0", 64): 404, "/da/": 404, "/da": 404, "/": 404,
		"/da/..%2frelayer.db": 404, "/da/" + name + "/x": 404, "/status": 404, "/metrics": 404,
	} {
		if got := get(t, h, http.MethodGet, path); got.Code != want {
			t.Errorf("%s: got %d, want %d", path, got.Code, want)
		}
	}
	if got := get(t, h, http.MethodPost, "/da/"+name); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", got.Code)
	}
}

type fakeOperators struct{ operatorstypes.QueryClient }

func (fakeOperators) CurrentEpoch(context.Context, *operatorstypes.QueryCurrentEpochRequest, ...grpc.CallOption) (*operatorstypes.QueryCurrentEpochResponse, error) {
	return &operatorstypes.QueryCurrentEpochResponse{Grid: operatorstypes.EpochGrid{Epoch: 7}}, nil
}

func sources() serve.Sources {
	host := [32]byte{0xaa}
	return serve.Sources{
		ChainID: "gpucoord-1", Account: "gpucoord1relayer", Operators: fakeOperators{},
		Head: func(context.Context) (chain.Head, error) { return chain.Head{Height: 150, Time: time.Now()}, nil },
		Store: func(context.Context) (store.Status, error) {
			return store.Status{
				Logs:        []store.LogStatus{{HostID: host, Offset: 900, Receipts: 5, Countersigned: 4}},
				Rejected:    []store.RejectedCount{{HostID: host, Stage: store.StageCollect, Reason: "BAD_V", Count: 2}},
				Outbox:      []store.OutboxCount{{State: store.Pending, Count: 1}, {State: store.Done, Count: 3}},
				Open:        []store.Item{{Key: "batch/x/6", State: store.Pending, Deadline: 161, Log: "cover is too low"}},
				LastBatches: []store.Batch{{HostID: host, Epoch: 6, ID: 12, AmountUusdc: 77, Receipts: 5}},
			}, nil
		},
		Collecting: func() []serve.Collecting {
			return []serve.Collecting{{HostID: host, CaughtUp: time.Unix(1_790_000_000, 0)}}
		},
		EVM: func() []report.Chain { return []report.Chain{{Name: "main", Runway: -1}} },
	}
}

func TestStatusSaysWhereEverythingStands(t *testing.T) {
	w := get(t, serve.Private(sources()), http.MethodGet, "/status")
	var st serve.Status
	if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil {
		t.Fatal(err)
	}
	if st.Height != 150 || st.Epoch != 7 || st.ChainID != "gpucoord-1" || len(st.Problems) != 0 || st.Outbox["done"] != 3 {
		t.Errorf("status is %+v", st)
	}
	h := st.Hosts[0]
	if h.LogOffset != 900 || h.Receipts != 5 || h.Countersigned != 4 || h.Rejected["collect: BAD_V"] != 2 || h.LastBatch.BatchID != 12 || h.LastBatch.Epoch != 6 {
		t.Errorf("host is %+v", h)
	}
	if i := st.Open[0]; i.BlocksLeft != 11 || i.Log != "cover is too low" {
		t.Errorf("open transaction is %+v", i)
	}
}

func TestMetricsHaveTheProgramsPrefix(t *testing.T) {
	w := get(t, serve.Private(sources()), http.MethodGet, "/metrics")
	body := w.Body.String()
	host := strings.Repeat("0", 62)
	for _, want := range []string{
		"gpucoord_relayer_head_height 150", "gpucoord_relayer_epoch 7", "gpucoord_relayer_deadline_margin_blocks 11",
		`gpucoord_relayer_receipts_total{host_id="aa` + host + `"} 5`,
		`gpucoord_relayer_rejected{host_id="aa` + host + `",reason="collect: BAD_V"} 2`,
		`gpucoord_relayer_outbox{state="pending"} 1`, `gpucoord_relayer_last_batch_epoch{host_id="aa` + host + `"} 6`,
		"gpucoord_relayer_problems 0",
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
}

func TestHealthNamesTheProblem(t *testing.T) {
	if w := get(t, serve.Private(sources()), http.MethodGet, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
	for name, spoil := range map[string]func(*serve.Sources){
		"node is gone": func(s *serve.Sources) {
			s.Head = func(context.Context) (chain.Head, error) { return chain.Head{}, errors.New("node is gone") }
		},
		"newest block": func(s *serve.Sources) {
			s.Head = func(context.Context) (chain.Head, error) {
				return chain.Head{Height: 1, Time: time.Now().Add(-time.Hour)}, nil
			}
		},
		"log shrank": func(s *serve.Sources) {
			s.Collecting = func() []serve.Collecting { return []serve.Collecting{{Err: errors.New("log shrank")}} }
		},
		"store is gone": func(s *serve.Sources) {
			s.Store = func(context.Context) (store.Status, error) { return store.Status{}, errors.New("store is gone") }
		},
	} {
		src := sources()
		spoil(&src)
		if w := get(t, serve.Private(src), http.MethodGet, "/healthz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), name) {
			t.Errorf("%s: got %d: %s", name, w.Code, w.Body)
		}
	}
}

func TestServerServesUntilItsContextEnds(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) })
	log := slog.New(slog.DiscardHandler)
	server, err := serve.Listen(t.Context(), log, serve.Listener{Address: "127.0.0.1:0", Handler: handler}, serve.Listener{Address: "127.0.0.1:0", Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- server.Run(ctx) }()
	for i := range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.Addr(i), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil || string(body) != "here" {
			t.Errorf("got %q (%v)", body, err)
		}
	}
	if _, err := serve.Listen(t.Context(), log, serve.Listener{Address: server.Addr(0), Handler: handler}); err == nil {
		t.Error("took an address twice")
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
}
