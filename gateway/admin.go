// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gpucoord/gpucoord/gateway/ledger"
)

const (
	// maxAdminBody bounds the body of an admin request.
	maxAdminBody = 4 << 10
	// maxPage is the most entries of one list.
	maxPage = 1000
	// keyPrefix begins every API key, so that leaked ones are recognised.
	keyPrefix = "gck_"
	// maxReference bounds the reference of a grant.
	maxReference = 128
)

// AdminHandler returns the admin interface; it is for a loopback listener.
func (g *Gateway) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("POST /admin/v1/keys", g.createKey)
	mux.HandleFunc("GET /admin/v1/keys", g.listKeys)
	mux.HandleFunc("GET /admin/v1/keys/{id}", g.getKey)
	mux.HandleFunc("POST /admin/v1/keys/{id}/credits", g.addCredits)
	mux.HandleFunc("POST /admin/v1/keys/{id}/revoke", g.revokeKey)
	mux.HandleFunc("GET /admin/v1/keys/{id}/usage", g.usage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(token))
		if !ok || subtle.ConstantTimeCompare(sum[:], g.adminToken[:]) != 1 {
			refuseAdminToken.write(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// keyView is one API key as admins see it.
type keyView struct {
	// Key is the key itself, in the answer that makes it only.
	Key            string `json:"key,omitempty"`
	ID             string `json:"id"`
	GrantedUusdc   uint64 `json:"granted_uusdc"`
	AvailableUusdc uint64 `json:"available_uusdc"`
	ReservedUusdc  uint64 `json:"reserved_uusdc"`
	SpentUusdc     uint64 `json:"spent_uusdc"`
	CreatedAt      int64  `json:"created_at"`
	ExpiresAt      int64  `json:"expires_at"`
	Revoked        bool   `json:"revoked"`
}

func viewKey(k ledger.Key) keyView {
	return keyView{
		ID: k.ID, GrantedUusdc: k.Granted, AvailableUusdc: k.Available, ReservedUusdc: k.Reserved, SpentUusdc: k.Spent,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, Revoked: k.Revoked,
	}
}

// readAdmin decodes a small JSON body; an empty one leaves v as it is, unknown members are an error.
func readAdmin(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	return err == nil || errors.Is(err, io.EOF)
}

// adminError answers with the refusal for an error of the ledger.
func (g *Gateway) adminError(w http.ResponseWriter, r *http.Request, err error) {
	ref := refuseLedger
	switch {
	case errors.Is(err, ledger.ErrNoKey):
		ref = refuseAdminKey
	case errors.Is(err, ledger.ErrGrantDiffers):
		ref = refuseAdminGrant
	case errors.Is(err, ledger.ErrAmountTooLarge):
		ref = refuseAdminAmount
	default:
		g.logger.ErrorContext(r.Context(), "admin request failed", slog.Any("err", err))
	}
	ref.write(w)
}

// createKey serves POST /admin/v1/keys {"credits_uusdc", "expires_at"}.
func (g *Gateway) createKey(w http.ResponseWriter, r *http.Request) {
	var req struct {
		CreditsUusdc uint64 `json:"credits_uusdc"`
		ExpiresAt    int64  `json:"expires_at"`
	}
	if !readAdmin(w, r, &req) || req.ExpiresAt < 0 {
		refuseAdminBody.write(w)
		return
	}
	text := keyPrefix + rand.Text() + rand.Text() // 256 random bits or more
	key, err := g.ledger.CreateKey(r.Context(), sha256.Sum256([]byte(text)), req.CreditsUusdc, req.ExpiresAt, time.Now().Unix())
	if err != nil {
		g.adminError(w, r, err)
		return
	}
	view := viewKey(key)
	view.Key = text
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, view)
}

// addCredits serves POST /admin/v1/keys/{id}/credits {"amount_uusdc", "reference"}; the same reference again changes nothing.
func (g *Gateway) addCredits(w http.ResponseWriter, r *http.Request) {
	var req struct {
		AmountUusdc uint64 `json:"amount_uusdc"`
		Reference   string `json:"reference"`
	}
	if !readAdmin(w, r, &req) || req.AmountUusdc == 0 || len(req.Reference) > maxReference {
		refuseAdminBody.write(w)
		return
	}
	reference := "grant " + req.Reference
	if req.Reference == "" {
		reference = "random " + rand.Text()
	}
	key, err := g.ledger.Grant(r.Context(), r.PathValue("id"), reference, req.AmountUusdc, time.Now().Unix())
	if err != nil {
		g.adminError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, viewKey(key))
}

// revokeKey serves POST /admin/v1/keys/{id}/revoke.
func (g *Gateway) revokeKey(w http.ResponseWriter, r *http.Request) {
	if err := g.ledger.Revoke(r.Context(), r.PathValue("id")); err != nil {
		g.adminError(w, r, err)
		return
	}
	g.getKey(w, r)
}

// getKey serves GET /admin/v1/keys/{id}.
func (g *Gateway) getKey(w http.ResponseWriter, r *http.Request) {
	key, err := g.ledger.KeyByID(r.Context(), r.PathValue("id"))
	if err != nil {
		g.adminError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, viewKey(key))
}

// listKeys serves GET /admin/v1/keys?after=ID: up to 1000 keys by id.
func (g *Gateway) listKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := g.ledger.Keys(r.Context(), r.URL.Query().Get("after"), maxPage)
	if err != nil {
		g.adminError(w, r, err)
		return
	}
	views := make([]keyView, len(keys))
	for i, k := range keys {
		views[i] = viewKey(k)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": views})
}

// usageView is one job of a key.
type usageView struct {
	JobID         string `json:"job_id"`
	CallID        string `json:"call_id"`
	State         string `json:"state"`
	AmountUusdc   uint64 `json:"amount_uusdc"`
	ReservedUusdc uint64 `json:"max_amount_uusdc"`
	Reason        string `json:"reason,omitempty"`
	CreatedAt     int64  `json:"created_at"`
}

// usage serves GET /admin/v1/keys/{id}/usage?since=UNIX: up to 1000 jobs, oldest first.
func (g *Gateway) usage(w http.ResponseWriter, r *http.Request) {
	since := int64(0)
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			refuseAdminBody.write(w)
			return
		}
	}
	if _, err := g.ledger.KeyByID(r.Context(), r.PathValue("id")); err != nil {
		g.adminError(w, r, err)
		return
	}
	jobs, err := g.ledger.Usage(r.Context(), r.PathValue("id"), since, maxPage)
	if err != nil {
		g.adminError(w, r, err)
		return
	}
	views := make([]usageView, len(jobs))
	for i, j := range jobs {
		views[i] = usageView{
			JobID: hex.EncodeToString(j.JobID[:]), CallID: j.CallID, State: string(j.State), AmountUusdc: j.AmountUusdc,
			ReservedUusdc: j.ReservedUusdc, Reason: j.Reason, CreatedAt: j.CreatedAt,
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"jobs": views})
}
