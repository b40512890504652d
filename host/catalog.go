// SPDX-License-Identifier: Apache-2.0

package host

import "fmt"

// offer is one name a client can ask for.
type offer struct {
	name, engineName            string
	model, adapter              [32]byte
	priceInUusdc, priceOutUusdc uint64 // per 10^6 tokens
	base                        string // name of the base model of an adapter, else empty
}

// catalog finds offers by the client's name and by the engine's.
type catalog struct {
	byName, byEngine map[string]*offer
	models           map[[32]byte]bool
	adapters         map[[2][32]byte]bool // model and adapter
}

// newCatalog indexes the models.
//
// Errors: ErrNoModels, ErrBadModel for a missing name or id, or one given twice.
func newCatalog(models []Model) (*catalog, error) {
	if len(models) == 0 {
		return nil, ErrNoModels
	}
	c := &catalog{
		byName: make(map[string]*offer), byEngine: make(map[string]*offer),
		models: make(map[[32]byte]bool), adapters: make(map[[2][32]byte]bool),
	}
	for _, m := range models {
		if c.models[m.ID] {
			return nil, fmt.Errorf("%w: the id of %q is given twice", ErrBadModel, m.Name)
		}
		c.models[m.ID] = true
		base := offer{name: m.Name, engineName: m.EngineName, model: m.ID, priceInUusdc: m.PriceInUusdc, priceOutUusdc: m.PriceOutUusdc}
		if err := c.add(base, m.ID); err != nil {
			return nil, err
		}
		for _, a := range m.Adapters {
			o := base
			o.name, o.engineName, o.adapter, o.base = a.Name, a.EngineName, a.ID, m.Name
			if err := c.add(o, a.ID); err != nil {
				return nil, err
			}
			c.adapters[[2][32]byte{m.ID, a.ID}] = true
		}
	}
	return c, nil
}

func (c *catalog) add(o offer, id [32]byte) error {
	if o.engineName == "" {
		o.engineName = o.name
	}
	if o.name == "" || id == [32]byte{} || c.byName[o.name] != nil || c.byEngine[o.engineName] != nil {
		return fmt.Errorf("%w: %q", ErrBadModel, o.name)
	}
	c.byName[o.name], c.byEngine[o.engineName] = &o, &o
	return nil
}

// resolve returns the offer that a request names, if the authorisation is for the same model and adapter.
func (c *catalog) resolve(name string, model, adapter [32]byte) (*offer, *Refusal) {
	o := c.byName[name]
	switch {
	case !c.models[model]:
		return nil, RefuseUnknownModel.with("the authorisation's modelId %x is not served here", model)
	case adapter != [32]byte{} && !c.adapters[[2][32]byte{model, adapter}]:
		return nil, RefuseUnknownAdapter.with("the authorisation's adapterId %x is not served here on this model", adapter)
	case o == nil:
		return nil, RefuseUnknownModel.with("the request's model is none of the names served here")
	case o.model != model || o.adapter != adapter:
		return nil, RefuseModelMismatch
	}
	return o, nil
}
