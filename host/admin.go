// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
)

const (
	minAdminToken   = 16
	defaultLogLimit = 1000
	maxLogLimit     = 10_000
)

// The refusals of the admin interface.
var (
	refuseAdminToken = &Refusal{Status: 401, Code: "ADMIN_TOKEN", Message: "send Authorization: Bearer and the token in admin_token_file"}
	refuseLogQuery   = &Refusal{Status: 400, Code: "LOG_BAD_QUERY", Message: "offset and limit must be decimal numbers, limit 1 to 10000"}
	refuseLogOffset  = &Refusal{
		Status: 400, Code: "LOG_BAD_OFFSET",
		Message: "the offset is not the start of a frame: continue from X-Gpucoord-Next-Offset of an earlier answer",
	}
	refuseLogPruned = &Refusal{
		Status: 410, Code: "LOG_PRUNED",
		Message: "the offset is in a segment that was deleted: continue from first_offset of /internal/v1/status",
	}
	refuseLogBeyond = &Refusal{
		Status: 416, Code: "LOG_BEYOND_END",
		Message: "the offset is after the end of the log: this is another log, or the host lost a part of it; do not submit more",
	}
)

// readAdminToken reads the bearer token and returns its hash, so that comparing takes the same time for every guess.
func readAdminToken(path string) ([32]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return [32]byte{}, fmt.Errorf("admin token: %w", err)
	}
	token := bytes.TrimSpace(b)
	if len(token) < minAdminToken {
		return [32]byte{}, fmt.Errorf("%w: %s", ErrNoAdminToken, path)
	}
	return sha256.Sum256(token), nil
}

// AdminHandler returns the relayer's interface; it is for a loopback listener.
func (h *Host) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /internal/v1/log", h.readLog)
	mux.HandleFunc("GET /internal/v1/status", h.status)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(token))
		if !ok || subtle.ConstantTimeCompare(sum[:], h.adminToken[:]) != 1 {
			refuseAdminToken.write(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// readLog serves GET /internal/v1/log?offset=N&limit=M: RECEIPT and FINAL frames as stored. An empty answer whose next offset is the one
// asked for is the end of the log.
func (h *Host) readLog(w http.ResponseWriter, r *http.Request) {
	offset, err := strconv.ParseInt(r.URL.Query().Get("offset"), 10, 64)
	limit := defaultLogLimit
	if q := r.URL.Query().Get("limit"); err == nil && q != "" {
		limit, err = strconv.Atoi(q)
	}
	if err != nil || offset < 0 || limit < 1 || limit > maxLogLimit {
		refuseLogQuery.write(w)
		return
	}
	frames, next, err := h.log.Read(offset, limit)
	if err != nil {
		logRefusal(err).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set(wire.HeaderNextOffset, strconv.FormatInt(next, 10))
	w.Header().Set(wire.HeaderEndOffset, strconv.FormatInt(h.log.Stats().End, 10))
	_, _ = w.Write(frames) // a relayer that has gone asks again
}

func logRefusal(err error) *Refusal {
	switch {
	case errors.Is(err, receiptlog.ErrPruned):
		return refuseLogPruned
	case errors.Is(err, receiptlog.ErrBeyondEnd):
		return refuseLogBeyond
	case errors.Is(err, receiptlog.ErrBadOffset):
		return refuseLogOffset
	}
	return RefuseLogFailed
}

// status serves GET /internal/v1/status.
func (h *Host) status(w http.ResponseWriter, r *http.Request) {
	st, totals := h.log.Stats(), h.book.Totals()
	out := map[string]any{
		"chain_id": h.cfg.ChainID, "host_id": hex.EncodeToString(h.cfg.HostID[:]), "key_address": hex.EncodeToString(h.keyAddress[:]),
		"version": h.cfg.Version, "simulated": h.cfg.Simulated, "draining": h.draining.Load(),
		"first_offset": st.First, "end_offset": st.End, "high_seq": st.HighSeq, "indexed_receipts": st.Indexed,
		"unclean_start": st.Unclean, "torn_bytes_cut": st.TornBytes,
		"jobs_running": totals.Running, "jobs_known": totals.Known, "receipts_uncountersigned": totals.Uncountersigned,
		"unclaimed_uusdc": totals.UnclaimedUusdc,
		"errors":          h.statusErrors(r.Context(), st.HighSeq),
	}
	writeJSON(w, http.StatusOK, out)
}

// statusErrors names what keeps the host from taking jobs.
func (h *Host) statusErrors(ctx context.Context, highSeq uint64) []string {
	codes := []string{}
	if h.log.Err() != nil {
		codes = append(codes, RefuseLogFailed.Code)
	}
	if _, err := h.epoch(ctx); err != nil {
		codes = append(codes, RefuseEpochUnknown.Code)
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeouts.Chain)
	defer cancel()
	if may, err := h.chain.MayWork(ctx); err == nil && !may {
		codes = append(codes, RefuseMayNotWork.Code)
	}
	switch mark, err := h.chain.Watermark(ctx); {
	case err != nil:
		codes = append(codes, RefuseChainStale.Code)
	case highSeq < mark:
		codes = append(codes, RefuseBehindChain.Code)
	}
	return codes
}
