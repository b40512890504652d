// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// modelsFresh is how long the engine's model list is used before it is asked again.
	modelsFresh = 5 * time.Second
	// modelsRetry is how long it is not asked again after it did not answer.
	modelsRetry = time.Second
	// modelsTimeout bounds that question.
	modelsTimeout = 5 * time.Second
	// maxModels bounds the engine's answer in bytes.
	maxModels = 4 << 20
)

// engineModel is what vLLM and SGLang agree on in an entry of /v1/models.
type engineModel struct {
	ID          string  `json:"id"`
	Created     int64   `json:"created"`
	OwnedBy     string  `json:"owned_by"`
	MaxModelLen *uint64 `json:"max_model_len"`
}

// modelView is one entry of the host's own list. Where the engine loaded a model from is not told.
type modelView struct {
	ID          string  `json:"id"`
	Object      string  `json:"object"`
	Created     int64   `json:"created"`
	OwnedBy     string  `json:"owned_by"`
	Parent      *string `json:"parent"`
	MaxModelLen *uint64 `json:"max_model_len"`
	ModelID     string  `json:"gpucoord_model_id"`
	AdapterID   string  `json:"gpucoord_adapter_id,omitempty"`
}

// modelList keeps the engine's list for a moment.
type modelList struct {
	mu    sync.Mutex // held while the engine is asked, so that one question serves all who wait
	until time.Time
	views []modelView
	err   error
}

// models serves GET /v1/models: what is configured and loaded in the engine.
func (h *Host) models(w http.ResponseWriter, r *http.Request) {
	views, err := h.loadedModels(r.Context())
	if err != nil {
		h.refuse(w, RefuseEngineUnreachable)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": views})
}

func (h *Host) loadedModels(ctx context.Context) ([]modelView, error) {
	h.modelList.mu.Lock()
	defer h.modelList.mu.Unlock()
	l := &h.modelList
	if time.Now().Before(l.until) {
		return l.views, l.err
	}
	loaded, err := h.engine.models(context.WithoutCancel(ctx)) // others wait for the answer too
	l.views, l.err, l.until = make([]modelView, 0, len(loaded)), err, time.Now().Add(modelsFresh)
	if err != nil {
		l.until = time.Now().Add(modelsRetry)
	}
	for _, m := range loaded {
		if o := h.catalog.byEngine[m.ID]; o != nil {
			l.views = append(l.views, o.view(m))
		}
	}
	return l.views, l.err
}

func (o *offer) view(m engineModel) modelView {
	v := modelView{
		ID: o.name, Object: "model", Created: m.Created, OwnedBy: m.OwnedBy, MaxModelLen: m.MaxModelLen,
		ModelID: hex.EncodeToString(o.model[:]),
	}
	if o.base != "" {
		v.Parent, v.AdapterID = &o.base, hex.EncodeToString(o.adapter[:])
	}
	return v
}

// models asks the engine what it has loaded.
func (e *engine) models(ctx context.Context) ([]engineModel, error) {
	ctx, cancel := context.WithTimeout(ctx, modelsTimeout)
	defer cancel()
	resp, err := e.do(ctx, http.MethodGet, "/v1/models", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("engine answered %d to /v1/models", resp.StatusCode)
	}
	body, err := readBounded(resp.Body, maxModels)
	if err != nil {
		return nil, err
	}
	var list struct {
		Data []engineModel `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("engine's model list: %w", err)
	}
	return list.Data, nil
}
