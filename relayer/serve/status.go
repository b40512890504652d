// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
	"github.com/gpucoord/gpucoord/relayer/store"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

const (
	// statusTimeout bounds the making of a status: a few calls of the node beside it.
	statusTimeout = 5 * time.Second
	// maxHeadAge is the age of the newest block from which the relayer is not healthy: blocks come every 6 s.
	maxHeadAge = 2 * time.Minute
)

// Collecting says how collecting a host's log goes.
type Collecting struct {
	HostID [32]byte
	// CaughtUp is when the end of the log was reached last, zero if never; Err what stopped the last pass, nil if nothing did.
	CaughtUp time.Time
	Err      error
}

// Sources are where a status comes from.
type Sources struct {
	// ChainID and Account say who this is; Simulated that a host declares simulated GPUs.
	ChainID, Account string
	Simulated        bool
	Head             func(ctx context.Context) (chain.Head, error)
	Operators        operatorstypes.QueryClient
	Store            func(ctx context.Context) (store.Status, error)
	Collecting       func() []Collecting
	// EVM says how anchoring goes; empty without it.
	EVM func() []report.Chain
	// Collectors are further metrics.
	Collectors []prometheus.Collector
}

// Status is what the operator sees. Everything is the relayer's own business; nothing of a customer is in it.
type Status struct {
	ChainID   string `json:"chain_id"`
	Account   string `json:"account"`
	Simulated bool   `json:"simulated"`
	// Height and Epoch are the chain's, HeadTime is the newest block's time; zero when the node does not answer.
	Height   uint64    `json:"height"`
	HeadTime time.Time `json:"head_time"`
	Epoch    uint64    `json:"epoch"`

	Hosts    []HostStatus      `json:"hosts"`
	Outbox   map[string]uint64 `json:"outbox"`
	Open     []ItemStatus      `json:"open_transactions"`
	Failed   []ItemStatus      `json:"last_failed_transactions"`
	EVM      []report.Chain    `json:"evm,omitempty"`
	Problems []string          `json:"problems"`
}

// HostStatus is how one host's receipts stand.
type HostStatus struct {
	HostID        string            `json:"host_id"`
	CaughtUp      time.Time         `json:"caught_up"`
	LogOffset     uint64            `json:"log_offset"`
	Receipts      uint64            `json:"receipts"`
	Countersigned uint64            `json:"countersigned"`
	Rejected      map[string]uint64 `json:"rejected"`
	LastBatch     *BatchStatus      `json:"last_batch,omitempty"`
}

// BatchStatus is a host's newest batch.
type BatchStatus struct {
	Epoch       uint64 `json:"epoch"`
	BatchID     uint64 `json:"batch_id"`
	HostKey     string `json:"host_key"`
	DASHA256    string `json:"da_sha256"`
	Receipts    uint64 `json:"receipts"`
	AmountUusdc uint64 `json:"amount_uusdc"`
	Opened      bool   `json:"samples_opened"`
}

// ItemStatus is a transaction.
type ItemStatus struct {
	Key    string `json:"key"`
	State  string `json:"state"`
	TxHash string `json:"tx_hash,omitempty"`
	Tries  int    `json:"tries"`
	// Deadline is the last block that may hold it, BlocksLeft how many there are until then; both 0 where there is none.
	Deadline   uint64 `json:"deadline,omitempty"`
	BlocksLeft int64  `json:"blocks_left,omitempty"`
	Log        string `json:"log,omitempty"`
}

// StatusOf puts a status together. What cannot be read is named in Problems.
func StatusOf(ctx context.Context, src Sources) Status {
	st := Status{ChainID: src.ChainID, Account: src.Account, Simulated: src.Simulated, Outbox: make(map[string]uint64)}
	st.readChain(ctx, src)
	st.EVM = src.EVM()
	for i := range st.EVM {
		st.Problems = append(st.Problems, st.EVM[i].Problems()...)
	}
	kept, err := src.Store(ctx)
	if err != nil {
		st.Problems = append(st.Problems, err.Error())
		return st
	}
	st.readHosts(src.Collecting(), &kept)
	for _, c := range kept.Outbox {
		st.Outbox[string(c.State)] = c.Count
	}
	st.Open, st.Failed = st.items(kept.Open), st.items(kept.LastFailed)
	return st
}

func (st *Status) readChain(ctx context.Context, src Sources) {
	head, err := src.Head(ctx)
	if err != nil {
		st.Problems = append(st.Problems, err.Error())
		return
	}
	st.Height, st.HeadTime = head.Height, head.Time
	if age := time.Since(head.Time); age > maxHeadAge {
		st.Problems = append(st.Problems, "the node's newest block is "+age.Round(time.Second).String()+" old")
	}
	res, err := src.Operators.CurrentEpoch(ctx, &operatorstypes.QueryCurrentEpochRequest{})
	if err != nil {
		st.Problems = append(st.Problems, "read the epoch: "+err.Error())
		return
	}
	st.Epoch = res.Grid.Epoch
}

func (st *Status) readHosts(collecting []Collecting, kept *store.Status) {
	for _, c := range collecting {
		h := HostStatus{HostID: hex.EncodeToString(c.HostID[:]), CaughtUp: c.CaughtUp, Rejected: make(map[string]uint64)}
		if c.Err != nil {
			st.Problems = append(st.Problems, c.Err.Error())
		}
		for _, l := range kept.Logs {
			if l.HostID == c.HostID {
				h.LogOffset, h.Receipts, h.Countersigned = l.Offset, l.Receipts, l.Countersigned
			}
		}
		for _, r := range kept.Rejected {
			if r.HostID == c.HostID {
				h.Rejected[string(r.Stage)+": "+r.Reason] = r.Count
			}
		}
		for i := range kept.LastBatches {
			if b := &kept.LastBatches[i]; b.HostID == c.HostID {
				h.LastBatch = &BatchStatus{
					Epoch: b.Epoch, BatchID: b.ID, HostKey: hex.EncodeToString(b.HostKey[:]), DASHA256: hex.EncodeToString(b.DASHA256[:]),
					Receipts: b.Receipts, AmountUusdc: b.AmountUusdc, Opened: b.Opened,
				}
			}
		}
		st.Hosts = append(st.Hosts, h)
	}
}

func (st *Status) items(kept []store.Item) []ItemStatus {
	out := make([]ItemStatus, len(kept))
	for i := range kept {
		k := &kept[i]
		out[i] = ItemStatus{Key: k.Key, State: string(k.State), TxHash: k.TxHash, Tries: k.Tries, Deadline: k.Deadline, Log: k.Log}
		if k.Deadline != 0 && st.Height != 0 {
			out[i].BlocksLeft = int64(k.Deadline) - int64(st.Height) //nolint:gosec // heights stay far below 2^63
		}
	}
	return out
}

// Private answers /metrics, /healthz and /status. It is for a loopback listener.
func Private(src Sources) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&metrics{src: src}, report.Collector{Read: src.EVM})
	registry.MustRegister(src.Collectors...)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		st := statusOf(r, src)
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(st) // the client is gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if st := statusOf(r, src); len(st.Problems) > 0 {
			http.Error(w, st.Problems[0], http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // the client is gone
	})
	return mux
}

func statusOf(r *http.Request, src Sources) Status {
	ctx, cancel := context.WithTimeout(r.Context(), statusTimeout)
	defer cancel()
	return StatusOf(ctx, src)
}
