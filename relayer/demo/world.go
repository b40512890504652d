// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"crypto/sha256"
	"encoding/binary"
)

// The world: who takes part. Names are invented; engines run no model.

// baseSpec is a base model with its list price, in uusdc of 10^6 tokens.
type baseSpec struct {
	name              string
	author            string // of authors
	royaltyBps        uint64
	proof             bool // whether its author proves authorship, without which it does not earn
	priceIn, priceOut uint64
}

// payeeSpec is an author's part of a royalty, in bps.
type payeeSpec struct {
	author string
	bps    uint64
}

// adapterSpec is an adapter; parents come nearest first.
type adapterSpec struct {
	name       string
	base       string
	owner      string
	parents    []string
	royaltyBps uint64
	payees     []payeeSpec
}

// operatorSpec is an operator with one host that serves one base and all its adapters.
type operatorSpec struct {
	name, moniker, region string
	base                  string
	machine               string // the simulated machine of its host
	// direct says that it also serves a customer who pays it himself, so that the operator settles.
	direct bool
}

// gatewaySpec is a gateway, whose account is its settler too.
type gatewaySpec struct {
	name, moniker string
	accredited    bool
	// weight is its part of the requests.
	weight int
}

var (
	authors = []string{"author-ada", "author-ben", "author-chen", "author-dora"}

	bases = []baseSpec{
		{name: "aurora-8b", author: "author-ada", royaltyBps: 500, proof: true, priceIn: 400_000, priceOut: 1_200_000},
		{name: "borealis-32b", author: "author-ben", royaltyBps: 400, priceIn: 900_000, priceOut: 2_700_000},
	}

	adapters = []adapterSpec{
		{name: "aurora-law", base: "aurora-8b", owner: "author-ben", royaltyBps: 600, payees: []payeeSpec{{"author-ben", 10_000}}},
		{
			name: "aurora-law-fr", base: "aurora-8b", owner: "author-chen", parents: []string{"aurora-law"}, royaltyBps: 500,
			payees: []payeeSpec{{"author-chen", 7_000}, {"author-ben", 3_000}},
		},
		{
			name: "aurora-law-fr-tax", base: "aurora-8b", owner: "author-dora", parents: []string{"aurora-law-fr", "aurora-law"}, royaltyBps: 400,
			payees: []payeeSpec{{"author-dora", 5_000}, {"author-chen", 3_000}, {"author-ada", 2_000}},
		},
		{name: "borealis-code", base: "borealis-32b", owner: "author-chen", royaltyBps: 800, payees: []payeeSpec{{"author-chen", 10_000}}},
		{
			name: "borealis-code-rust", base: "borealis-32b", owner: "author-dora", parents: []string{"borealis-code"}, royaltyBps: 300,
			payees: []payeeSpec{{"author-dora", 6_000}, {"author-chen", 4_000}},
		},
	}

	operators = []operatorSpec{
		{name: "operator-north", moniker: "North", region: "eu-north", base: "aurora-8b", machine: "dgx-h100"},
		{name: "operator-south", moniker: "South", region: "eu-south", base: "borealis-32b", machine: "dgx-h100", direct: true},
		{name: "operator-west", moniker: "West", region: "us-west", base: "aurora-8b", machine: "dgx-a100"},
	}

	gateways = []gatewaySpec{
		{name: "gateway-main", moniker: "Main gateway", accredited: true, weight: 2},
		{name: "gateway-small", moniker: "Small gateway", weight: 1},
	}
)

const (
	// arbiter accepts author proofs, sponsor tops up rewards, validator runs the node and votes. directCustomer is a payer key
	// and no account: such keys never touch the chain.
	arbiter        = "arbiter"
	sponsor        = "sponsor"
	validator      = "validator"
	directCustomer = "direct-customer"

	// Money of the world. A bond of 10^12 ultai covers 100,000 USD at the default bond price, a twentieth of it open claims.
	operatorCoins  = "1000000000ualeph,2000000000000ultai,100000000uusdc"
	authorCoins    = "1000000000ualeph"
	gatewayCoins   = "1000000000ualeph,2000000000uusdc"
	relayerCoins   = "1000000000ualeph"
	sponsorCoins   = "1000000000ualeph,10000000uusdc"
	bondUltai      = 1_000_000_000_000
	gatewayBond    = 10_000_000
	gatewayEscrow  = 1_000_000_000
	operatorEscrow = 50_000_000
	sponsorship    = 20_000
)

// assetID is the id of a model of the world. A real one is the hash of its tensors; these have none, and the preimage says so.
func assetID(name string) [32]byte {
	return sha256.Sum256([]byte("gpucoord demo asset without tensors: " + name))
}

// hostID is the id the chain gives an operator's first host.
func hostID(operator []byte) [32]byte {
	preimage := append([]byte("GCH1"), operator...)
	return sha256.Sum256(binary.BigEndian.AppendUint64(preimage, 0))
}

// adaptersOf lists a base's adapters.
func adaptersOf(base string) []adapterSpec {
	var out []adapterSpec
	for _, a := range adapters {
		if a.base == base {
			out = append(out, a)
		}
	}
	return out
}

// baseOf finds a base model; the world's tables name only known ones, which a test checks.
func baseOf(name string) baseSpec {
	for _, b := range bases {
		if b.name == name {
			return b
		}
	}
	return baseSpec{}
}

// assetNames gives each asset id its name.
func assetNames() map[[32]byte]string {
	out := map[[32]byte]string{{}: "(no adapter)"}
	for _, b := range bases {
		out[assetID(b.name)] = b.name
	}
	for _, a := range adapters {
		out[assetID(a.name)] = a.name
	}
	return out
}

// relayerOf names the hot account and the program that relay for an operator.
func relayerOf(operator string) string { return "relayer" + operator[len("operator"):] }

func hostOf(operator string) string { return "host" + operator[len("operator"):] }

func engineOf(operator string) string { return "engine" + operator[len("operator"):] }
