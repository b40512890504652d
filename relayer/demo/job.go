// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/json"
	"fmt"
	"strings"
)

// job is one request on its way: a line of the trace with what the trace does not say.
type job struct {
	number        int
	base, adapter string // names; adapter may be empty
	stream        bool
	prompt        uint64 // tokens
	output        uint64
	route         route
	gateway       int // of gateways, unless the job is direct
	customer      int
}

// route says how a job is sent.
type route uint8

const (
	routeGateway route = iota
	routeCancel        // through a gateway; the customer leaves in the middle of the stream
	routeDirect        // to the host, by a customer who pays the operator himself
	routeExpired       // to the host, with an authorisation that has expired: refused
)

// menu is what customers ask for, in this order over and over: name of the base, name of the adapter.
var menu = [][2]string{
	{"aurora-8b", "aurora-law-fr-tax"},
	{"borealis-32b", "borealis-code"},
	{"aurora-8b", ""},
	{"aurora-8b", "aurora-law"},
	{"borealis-32b", "borealis-code-rust"},
	{"aurora-8b", "aurora-law-fr"},
	{"borealis-32b", ""},
}

// Every so many jobs one goes another way. The numbers are primes, so that the ways meet every model.
const (
	cancelEvery  = 23
	directEvery  = 11
	expiredEvery = 53
)

// jobOf gives a line of the trace its model, its customer and its way. The same line gets the same in every run.
func jobOf(number int, r Request) job {
	dish := menu[number%len(menu)]
	j := job{
		number: number, base: dish[0], adapter: dish[1], stream: number%2 == 0,
		prompt: r.ContextTokens, output: r.GeneratedTokens, gateway: gatewayOf(number), customer: number % customersPerGateway,
	}
	switch {
	case number%expiredEvery == expiredEvery-1:
		j.route = routeExpired
	case number%directEvery == directEvery-1:
		j.route = routeDirect
	case number%cancelEvery == cancelEvery-1:
		j.route, j.stream = routeCancel, true
		j.output = max(j.output, 400) // long enough to be left
	}
	if j.route == routeDirect || j.route == routeExpired { // that host serves one base
		_, o := directOperator()
		if j.base != o.base {
			j.base, j.adapter = o.base, ""
		}
	}
	return j
}

// gatewayOf spreads the jobs over the gateways by their weights.
func gatewayOf(number int) int {
	total := 0
	for _, g := range gateways {
		total += g.weight
	}
	at := number % total
	for i, g := range gateways {
		if at < g.weight {
			return i
		}
		at -= g.weight
	}
	return 0
}

// directOperator is the operator that serves a customer of its own.
func directOperator() (int, operatorSpec) {
	for i, o := range operators {
		if o.direct {
			return i, o
		}
	}
	return 0, operators[0]
}

func (j *job) adapterID() [32]byte {
	if j.adapter == "" {
		return [32]byte{}
	}
	return assetID(j.adapter)
}

// model is the name a customer asks for.
func (j *job) model() string {
	if j.adapter != "" {
		return j.adapter
	}
	return j.base
}

// words are what prompts are made of; the engine stand-in counts each as a token.
var words = strings.Fields("the ledger shows who served what and who was paid for it and why so that nobody has to ask twice")

// body is the request in OpenAI's shape. The prompt is made up: traces hold sizes, never texts.
func (j *job) body() []byte {
	var prompt strings.Builder
	fmt.Fprintf(&prompt, "job-%d", j.number)
	for i := uint64(1); i < j.prompt; i++ {
		prompt.WriteByte(' ')
		prompt.WriteString(words[(i+uint64(j.number))%uint64(len(words))]) //nolint:gosec // numbers of jobs are not negative
	}
	body, err := json.Marshal(map[string]any{
		"model": j.model(), "stream": j.stream, "max_tokens": j.output,
		"messages": []map[string]string{{"role": "user", "content": prompt.String()}},
	})
	if err != nil {
		panic("text and numbers encode: " + err.Error()) // only a fault of the lines above
	}
	return body
}
