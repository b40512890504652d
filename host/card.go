// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/hex"
	"net/http"
)

// claim is one of the four claims on the card. They are told apart: none of them implies another.
type claim struct {
	Status string `json:"status"`
}

type card struct {
	Schema     string           `json:"schema"`
	ChainID    string           `json:"chain_id"`
	EVMChainID uint64           `json:"evm_chain_id"`
	HostID     string           `json:"host_id"`
	Operator   string           `json:"operator"`
	KeyAddress string           `json:"key_address"`
	Simulated  bool             `json:"simulated"`
	Version    string           `json:"version"`
	Models     []cardModel      `json:"models"`
	Limits     map[string]int   `json:"limits"`
	Claims     map[string]claim `json:"claims"`
}

type cardModel struct {
	Name          string        `json:"name"`
	ModelID       string        `json:"model_id"`
	PriceInUusdc  uint64        `json:"price_in_uusdc_per_million"`
	PriceOutUusdc uint64        `json:"price_out_uusdc_per_million"`
	Adapters      []cardAdapter `json:"adapters"`
}

type cardAdapter struct {
	Name      string `json:"name"`
	AdapterID string `json:"adapter_id"`
}

// notOffered is the status of a claim that this host does not make.
const notOffered = "not offered"

func newCard(c *Config, keyAddress [20]byte) card {
	out := card{
		Schema: "gpucoord/host-card/v1", ChainID: c.ChainID, EVMChainID: c.EVMChainID, HostID: hex.EncodeToString(c.HostID[:]),
		Operator: c.Operator, KeyAddress: hex.EncodeToString(keyAddress[:]), Simulated: c.Simulated, Version: c.Version,
		Limits: map[string]int{
			"max_body_bytes": c.Limits.MaxBodyBytes, "max_uncountersigned": c.Limits.MaxUncountersigned,
			"max_job_ttl_seconds": maxJobTTLSeconds,
		},
		Claims: map[string]claim{
			"privacy": {notOffered}, "customer_verifiable_attestation": {notOffered},
			"model_identity": {notOffered}, "output_correctness": {notOffered},
		},
	}
	for _, m := range c.Models {
		cm := cardModel{
			Name: m.Name, ModelID: hex.EncodeToString(m.ID[:]), PriceInUusdc: m.PriceInUusdc, PriceOutUusdc: m.PriceOutUusdc,
			Adapters: []cardAdapter{},
		}
		for _, a := range m.Adapters {
			cm.Adapters = append(cm.Adapters, cardAdapter{Name: a.Name, AdapterID: hex.EncodeToString(a.ID[:])})
		}
		out.Models = append(out.Models, cm)
	}
	return out
}

// serveCard serves GET /.well-known/gpucoord.
func (h *Host) serveCard(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, h.card) }

// healthz serves GET /healthz: 200 while the host would take a job as far as it can tell without the engine.
func (h *Host) healthz(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		RefuseDraining.write(w)
		return
	}
	if h.log.Err() != nil {
		RefuseLogFailed.write(w)
		return
	}
	if _, err := h.epoch(r.Context()); err != nil {
		RefuseEpochUnknown.write(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}
