// SPDX-License-Identifier: Apache-2.0

package route

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	"github.com/gpucoord/gpucoord/domain/score"
)

// Want is what a request asks of a host.
type Want struct {
	Asset Asset
	// MaxPriceOutUusdc bounds the price of 10^6 output tokens, nil for no bound.
	MaxPriceOutUusdc *uint64
	// Region is the operator's, empty for any.
	Region string
	// AllowSimulated lets hosts with stand-ins take part.
	AllowSimulated bool
	// AllowHTTP lets hosts without TLS take part.
	AllowHTTP bool
}

// Candidate is a host that serves what is wanted.
type Candidate struct {
	Host  *Host
	Offer *Offer
}

// Candidates lists the hosts that a request may go to, in the table's order.
func Candidates(hosts []Host, w Want) []Candidate {
	var out []Candidate
	for i := range hosts {
		h := &hosts[i]
		if h.Simulated && !w.AllowSimulated || w.Region != "" && h.Region != w.Region || !w.AllowHTTP && !secure(h.Endpoint) {
			continue
		}
		for j := range h.Offers {
			o := &h.Offers[j]
			if o.Asset == w.Asset && (w.MaxPriceOutUusdc == nil || o.PriceOutUusdc <= *w.MaxPriceOutUusdc) {
				out = append(out, Candidate{Host: h, Offer: o})
				break
			}
		}
	}
	return out
}

func secure(endpoint string) bool { return len(endpoint) > 8 && endpoint[:8] == "https://" }

// bidder is one operator with its hosts that have not been drawn.
type bidder struct {
	weight *big.Int
	hosts  []Candidate
}

// Choice draws candidates without replacement.
type Choice struct{ bidders []bidder }

// NewChoice weighs the candidates' operators.
//
// Errors: those of score.Routing.
func NewChoice(candidates []Candidate) (*Choice, error) {
	at := make(map[string]int)
	var c Choice
	var in []score.RoutingIn
	for _, cand := range candidates {
		i, ok := at[cand.Host.Operator]
		if !ok {
			i = len(c.bidders)
			at[cand.Host.Operator] = i
			c.bidders = append(c.bidders, bidder{})
			in = append(in, score.RoutingIn{Reputation: cand.Host.ReputationPPM, UCS: cand.Host.UCS})
		}
		c.bidders[i].hosts = append(c.bidders[i].hosts, cand)
	}
	_, weights, err := score.Routing(in)
	if err != nil {
		return nil, fmt.Errorf("weigh operators: %w", err)
	}
	for i, w := range weights {
		c.bidders[i].weight = new(big.Int).SetUint64(w)
	}
	return &c, nil
}

// Next draws one candidate; ok is false when none is left. Operators of weight 0 come last, all alike.
//
// Errors: those of the system's random source.
func (c *Choice) Next() (cand Candidate, ok bool, err error) {
	if len(c.bidders) == 0 {
		return Candidate{}, false, nil
	}
	i, err := c.draw()
	if err != nil {
		return Candidate{}, false, err
	}
	b := &c.bidders[i]
	j, err := below(big.NewInt(int64(len(b.hosts))))
	if err != nil {
		return Candidate{}, false, err
	}
	cand = b.hosts[j.Int64()]
	b.hosts = slices.Delete(b.hosts, int(j.Int64()), int(j.Int64())+1)
	if len(b.hosts) == 0 {
		c.bidders = slices.Delete(c.bidders, i, i+1)
	}
	return cand, true, nil
}

// draw returns the index of an operator.
func (c *Choice) draw() (int, error) {
	total := new(big.Int)
	for _, b := range c.bidders {
		total.Add(total, b.weight)
	}
	if total.Sign() == 0 {
		i, err := below(big.NewInt(int64(len(c.bidders))))
		return int(i.Int64()), err
	}
	r, err := below(total)
	if err != nil {
		return 0, err
	}
	for i, b := range c.bidders {
		if r.Sub(r, b.weight).Sign() < 0 {
			return i, nil
		}
	}
	return len(c.bidders) - 1, nil // r is below the total, so the loop has returned
}

// below returns a uniform number below n.
func below(n *big.Int) (*big.Int, error) {
	r, err := rand.Int(rand.Reader, n)
	if err != nil {
		return new(big.Int), fmt.Errorf("draw: %w", err)
	}
	return r, nil
}
