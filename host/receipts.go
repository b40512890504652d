// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
)

// maxSmallBody bounds the body of requests that carry no prompt.
const maxSmallBody = 4 << 10

// receiptView is one receipt in an answer.
type receiptView struct {
	JobID         string `json:"job_id"`
	Receipt       string `json:"receipt"`
	Outcome       string `json:"outcome"`
	AmountUusdc   uint64 `json:"amount_uusdc"`
	Countersigned bool   `json:"countersigned"`
}

func (h *Host) view(rec *receipt.Record) receiptView {
	id := rec.JobID(h.domain)
	return receiptView{
		JobID: hex.EncodeToString(id[:]), Receipt: wire.EncodeReceipt(rec), Outcome: rec.Outcome.String(),
		AmountUusdc: rec.Amount, Countersigned: rec.Countersigned,
	}
}

// openReceipts serves GET /v1/receipts/open: a gateway key's receipts that wait for its countersignature.
func (h *Host) openReceipts(w http.ResponseWriter, r *http.Request) {
	payer, ref := h.authenticate(r)
	if ref != nil {
		h.refuse(w, ref)
		return
	}
	ids, running := h.book.Open(payer)
	views := make([]receiptView, 0, len(ids))
	for _, id := range ids {
		if rec, err := h.log.Lookup(id); err == nil { // one that was forgotten just now is not open any more
			views = append(views, h.view(&rec))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"receipts": views, "running": running, "limit": h.cfg.Limits.MaxUncountersigned})
}

// jobIDOf reads the job id of a path.
func jobIDOf(r *http.Request) (id [32]byte, ok bool) {
	b, err := hex.DecodeString(r.PathValue("jobId"))
	if err != nil || len(b) != len(id) {
		return id, false
	}
	return [32]byte(b), true
}

// getReceipt serves GET /v1/receipts/{jobId} to the payer of the job.
func (h *Host) getReceipt(w http.ResponseWriter, r *http.Request) {
	payer, ref := h.authenticate(r)
	if ref != nil {
		h.refuse(w, ref)
		return
	}
	rec, ok := h.lookup(r)
	if !ok || rec.Auth.Payer != payer { // whether another payer's job exists is not told
		h.refuse(w, RefuseReceiptNotFound)
		return
	}
	w.Header().Set(wire.HeaderReceipt, wire.EncodeReceipt(rec))
	writeJSON(w, http.StatusOK, h.view(rec))
}

func (h *Host) lookup(r *http.Request) (*receipt.Record, bool) {
	id, ok := jobIDOf(r)
	if !ok {
		return nil, false
	}
	rec, err := h.log.Lookup(id)
	return &rec, err == nil
}

// countersign serves POST /v1/receipts/{jobId}/countersign. The signature itself proves who sends it; sending it twice is no error.
func (h *Host) countersign(w http.ResponseWriter, r *http.Request) {
	rec, ok := h.lookup(r)
	if !ok {
		h.refuse(w, RefuseReceiptNotFound)
		return
	}
	var req struct {
		Signature string `json:"signature"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSmallBody)).Decode(&req) != nil {
		h.refuse(w, RefuseBadCountersignature)
		return
	}
	b, err := wire.Decode(req.Signature, len(rec.SigFinal))
	if err != nil || !h.signedBy(rec.Auth.Payer, rec.Digest(h.domain), [65]byte(b)) {
		h.refuse(w, RefuseBadCountersignature)
		return
	}
	id := rec.JobID(h.domain)
	if !rec.Countersigned {
		if err := h.log.Final(r.Context(), id, [65]byte(b)); err != nil {
			h.refuse(w, RefuseLogFailed)
			return
		}
		rec.SigFinal, rec.Countersigned = [65]byte(b), true
		h.metrics.countersigned.Inc()
	}
	h.book.Countersigned(id) // each time: the first one may have come before the job was noted as served
	h.limiter.giveBack(r.RemoteAddr)
	writeJSON(w, http.StatusOK, h.view(rec))
}
