// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/jobbook"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
)

// job is an admitted job.
type job struct {
	auth    signedAuth
	req     *completion
	offer   *offer
	body    []byte // for the engine
	epoch   uint64 // when it was admitted
	started time.Time
}

// admission is what came of a request for a job: exactly one member is set.
type admission struct {
	job     *job
	replay  *receipt.Record // the job was served before
	refusal *Refusal
}

func refused(r *Refusal) admission { return admission{refusal: r} }

// admit applies every check in order and makes the admitted job durable: after it the engine may be called.
//
// Order: form, host key; a receipt that exists; time, signature; payer; body, commitment; model, amount; chain; nonce, open jobs, cover.
// Nobody but an accepted payer can make the host wait for a body: a signature alone costs nothing, the keys are free.
func (h *Host) admit(w http.ResponseWriter, r *http.Request) admission {
	started := time.Now()
	auth, ref := h.readJobAuth(r)
	if ref != nil {
		return refused(ref)
	}
	if rec := h.served(&auth); rec != nil && rec.SigPayer == auth.sig {
		return admission{replay: rec} // the very bytes that were accepted before, even if they have expired since
	}
	if ref := h.checkJobAuth(&auth, unixNow()); ref != nil {
		return refused(ref)
	}
	if ref := h.checkPayer(r.Context(), &auth); ref != nil {
		return refused(ref)
	}
	h.limiter.giveBack(r.RemoteAddr) // a payer is bounded by its open jobs and its cover, not by the address it shares with others
	if !h.arriving.enter(auth.Payer, h.cfg.Limits.MaxUncountersigned) {
		return refused(RefuseTooManyArriving)
	}
	body, ref := h.readBody(w, r)
	h.arriving.leave(auth.Payer)
	if ref != nil {
		return refused(ref)
	}
	req, ref := parseCompletion(r.Header.Get(wire.HeaderSalt), auth.RequestCommit, body)
	if ref != nil {
		return refused(ref)
	}
	offer, ref := h.catalog.resolve(req.model, auth.ModelID, auth.AdapterID)
	if ref != nil {
		return refused(ref)
	}
	if ref := req.boundOutput(offer, auth.MaxAmount, len(body)); ref != nil {
		return refused(ref)
	}
	engineBody, ref := req.forEngine(offer.engineName, h.cfg.ContinuousUsage)
	if ref != nil {
		return refused(ref)
	}
	j := &job{auth: auth, req: req, offer: offer, body: engineBody, started: started}
	return h.enter(r.Context(), j)
}

// served returns the record of a job that has a receipt.
func (h *Host) served(auth *signedAuth) *receipt.Record {
	rec, err := h.log.Lookup(auth.id)
	if err != nil { // no receipt, or one that cannot be read: the book still knows the job and refuses it
		return nil
	}
	return &rec
}

// enter asks the chain, takes the nonce and makes the admission durable.
func (h *Host) enter(ctx context.Context, j *job) admission {
	view, mark, ref := h.askChain(ctx, j)
	if ref != nil {
		return refused(ref)
	}
	a := receiptlog.Admission{
		JobID: j.auth.id, Payer: j.auth.Payer, Nonce: j.auth.Nonce, ExpiresAt: j.auth.ExpiresAt, MaxAmount: j.auth.MaxAmount,
		OwesCountersignature: view.IsGateway, Settler: view.Settler,
	}
	err := h.book.Admit(a, jobbook.Limits{Cover: view.cover(), Watermark: mark, MaxOpen: h.cfg.Limits.MaxUncountersigned})
	if err != nil {
		return h.notAdmitted(j, err)
	}
	if err := h.log.Admit(context.WithoutCancel(ctx), a); err != nil { // from here on the job ends with a receipt, come what may
		h.book.Forget(j.auth.id)
		return refused(RefuseLogFailed)
	}
	return admission{job: j}
}

// notAdmitted turns the book's error into an answer.
func (h *Host) notAdmitted(j *job, err error) admission {
	var tooMany *jobbook.TooManyOpenError
	switch {
	case errors.Is(err, jobbook.ErrServed):
		if rec := h.served(&j.auth); rec != nil {
			return admission{replay: rec}
		}
		return refused(RefuseReceiptNotFound)
	case errors.Is(err, jobbook.ErrRunning):
		return refused(RefuseJobRunning)
	case errors.Is(err, jobbook.ErrInterrupted):
		return refused(RefuseJobInterrupted)
	case errors.Is(err, jobbook.ErrNonceUsed):
		return refused(RefuseNonceUsed)
	case errors.As(err, &tooMany):
		ref := RefuseTooManyOpen.with("%d jobs of this settler run and %d wait for a countersignature, of %d allowed",
			tooMany.Running, len(tooMany.Uncountersigned), h.cfg.Limits.MaxUncountersigned)
		ref.Jobs = tooMany.Uncountersigned
		return refused(ref)
	default:
		return refused(RefuseUnfunded)
	}
}

// checkPayer refuses a key that nobody settles for.
func (h *Host) checkPayer(ctx context.Context, a *signedAuth) *Refusal {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeouts.Chain)
	defer cancel()
	_, ref := h.settler(ctx, a)
	return ref
}

// settler returns who settles a job whose payer key is accepted here.
func (h *Host) settler(ctx context.Context, a *signedAuth) (SettlerView, *Refusal) {
	view, err := h.chain.Settler(ctx, a.Payer, a.IssuedAt)
	switch {
	case err != nil:
		return SettlerView{}, RefuseChainStale
	case !view.IsGateway && !h.cfg.AnyDirectPayer && !h.directPayers[a.Payer]:
		return SettlerView{}, RefusePayer
	case !view.Known:
		return SettlerView{}, RefuseUnfunded
	}
	return view, nil
}

// askChain applies the checks that need the chain and returns the settler and the watermark. Any error of the chain view refuses the job.
func (h *Host) askChain(ctx context.Context, j *job) (SettlerView, uint64, *Refusal) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeouts.Chain)
	defer cancel()
	if ref := h.checkAssets(ctx, j); ref != nil {
		return SettlerView{}, 0, ref
	}
	switch may, err := h.chain.MayWork(ctx); {
	case err != nil:
		return SettlerView{}, 0, RefuseChainStale
	case !may:
		return SettlerView{}, 0, RefuseMayNotWork
	}
	epoch, err := h.chain.Epoch(ctx)
	if err != nil {
		return SettlerView{}, 0, RefuseEpochUnknown
	}
	j.epoch = epoch
	mark, err := h.chain.Watermark(ctx)
	if err != nil {
		return SettlerView{}, 0, RefuseChainStale
	}
	if high := h.log.HighSeq(); high < mark {
		return SettlerView{}, 0, RefuseBehindChain.with("the log ends at seq %d, the chain is at %d", high, mark)
	}
	view, ref := h.settler(ctx, &j.auth)
	return view, mark, ref
}

func (h *Host) checkAssets(ctx context.Context, j *job) *Refusal {
	switch err := h.chain.AssetAllowed(ctx, j.auth.ModelID, j.auth.AdapterID); {
	case err == nil:
		return nil
	case !errors.Is(err, ErrNotLicensed):
		return RefuseChainStale
	case j.auth.AdapterID == [32]byte{}:
		return RefuseModelNotLicensed
	}
	return RefuseAdapterNotLicensed
}

// epoch asks the chain view for the present epoch.
func (h *Host) epoch(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeouts.Chain)
	defer cancel()
	return h.chain.Epoch(ctx)
}
