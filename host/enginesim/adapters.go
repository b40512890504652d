// SPDX-License-Identifier: Apache-2.0

package enginesim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// model is one entry of /v1/models; the parent of an adapter is its base.
type model struct {
	ID          string  `json:"id"`
	Object      string  `json:"object"`
	Created     int64   `json:"created"`
	OwnedBy     string  `json:"owned_by"`
	Root        string  `json:"root"`
	Parent      *string `json:"parent"`
	MaxModelLen *uint64 `json:"max_model_len"`
}

func (e *Engine) models(w http.ResponseWriter, _ *http.Request) {
	list := []model{{
		ID: e.cfg.Model, Object: "model", Created: createdAt, OwnedBy: e.cfg.OwnedBy, Root: e.cfg.Root,
		MaxModelLen: &e.cfg.MaxModelLen,
	}}
	e.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(e.adapters)) {
		list = append(list, model{
			ID: name, Object: "model", Created: createdAt, OwnedBy: e.cfg.OwnedBy, Root: e.adapters[name],
			Parent: &e.cfg.Model,
		})
	}
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": list})
}

// serves reports whether name is the base, a loaded adapter, or SGLang's base:adapter.
func (e *Engine) serves(name string) bool {
	if name == e.cfg.Model {
		return true
	}
	if adapter, ok := strings.CutPrefix(name, e.cfg.Model+":"); ok && e.cfg.OwnedBy == "sglang" {
		name = adapter
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.adapters[name]
	return ok
}

type loraRequest struct {
	Name string `json:"lora_name"`
	Path string `json:"lora_path"`
}

func (e *Engine) loadAdapter(w http.ResponseWriter, r *http.Request) {
	var req loraRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&req); err != nil || req.Name == "" || req.Path == "" {
		apiError(w, http.StatusBadRequest, "InvalidUserInput", "Both 'lora_name' and 'lora_path' must be provided.")
		return
	}
	e.mu.Lock()
	_, loaded := e.adapters[req.Name]
	if !loaded {
		e.adapters[req.Name] = req.Path
	}
	e.mu.Unlock()
	if loaded {
		apiError(w, http.StatusBadRequest, "InvalidUserInput", fmt.Sprintf("The lora adapter '%s' has already been loaded.", req.Name))
		return
	}
	_, _ = fmt.Fprintf(w, "Success: LoRA adapter '%s' added successfully", req.Name) // the client is gone
}

func (e *Engine) unloadAdapter(w http.ResponseWriter, r *http.Request) {
	var req loraRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&req); err != nil || req.Name == "" {
		apiError(w, http.StatusBadRequest, "InvalidUserInput", "'lora_name' needs to be provided to unload a LoRA adapter.")
		return
	}
	e.mu.Lock()
	_, loaded := e.adapters[req.Name]
	delete(e.adapters, req.Name)
	e.mu.Unlock()
	if !loaded {
		apiError(w, http.StatusNotFound, "NotFoundError", fmt.Sprintf("The lora adapter '%s' cannot be found.", req.Name))
		return
	}
	_, _ = fmt.Fprintf(w, "Success: LoRA adapter '%s' removed successfully", req.Name) // the client is gone
}
