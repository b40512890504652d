// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestAmount(t *testing.T) {
	for name, tc := range map[string]struct {
		prompt, output, in, out, maxAmount, want uint64
	}{
		"rounded down":       {1, 1, 499_999, 500_000, 10, 0},
		"exactly one":        {1, 1, 500_000, 500_000, 10, 1},
		"capped":             {1_000_000, 0, 11, 0, 10, 10},
		"nothing used":       {0, 0, math.MaxUint64, math.MaxUint64, 10, 0},
		"largest quotient":   {1_000_000, 0, math.MaxUint64, 0, math.MaxUint64, math.MaxUint64},
		"quotient too large": {1_000_001, 0, math.MaxUint64, 0, math.MaxUint64, math.MaxUint64},
		"sum too large":      {math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64, 7, 7},
	} {
		u := usage{prompt: tc.prompt, output: tc.output}
		if got := u.amount(tc.in, tc.out, tc.maxAmount); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
}

func TestParseUsage(t *testing.T) {
	for raw, tc := range map[string]struct {
		want usage
		ok   bool
	}{
		`{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}`: {usage{5, 3, 2}, true},
		`{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":9}}`:                  {usage{5, 5, 2}, true},
		`{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":null}`:                                 {usage{5, 0, 2}, true},
		`{"prompt_tokens":5,"total_tokens":5}`:                                                                   {usage{5, 0, 0}, true},
		`{"prompt_tokens":5,"completion_tokens":4294967296}`:                                                     {usage{}, false},
		`{"prompt_tokens":-5}`:                   {usage{}, false},
		`{"prompt_tokens":5.5}`:                  {usage{}, false},
		`{"completion_tokens":5}`:                {usage{}, false},
		`null`:                                   {usage{}, false},
		``:                                       {usage{}, false},
		`{"prompt_tokens":99999999999999999999}`: {usage{}, false},
	} {
		got, ok := parseUsage([]byte(raw))
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: got %+v, %v", raw, got, ok)
		}
	}
}

func TestUsageIsCutOutOfAChunk(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"usage":{"x":[1,"}"]},"b":2}`: `{"a":1,"b":2}`,
		`{"usage":1,"b":2}`:                   `{"b":2}`,
		`{ "usage" : 1 , "b":2}`:              `{  "b":2}`,
		`{"b":2,"usage":null}`:                `{"b":2}`,
		`{"usage":1}`:                         `{}`,
		`{"a":{"usage":1}}`:                   `{"a":{"usage":1}}`,
		`{"a":"\"usage\":1"}`:                 `{"a":"\"usage\":1"}`,
		`[1]`:                                 `[1]`,
		`{"a":`:                               `{"a":`,
	} {
		got := in
		if c := parseChunk([]byte(in)); c != nil {
			got = in[:c.cutFrom] + in[c.cutTo:]
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestParseChunk(t *testing.T) {
	for in, want := range map[string]struct {
		usage, err string
		last       bool
	}{
		`{"id":"x","choices":[],"usage":{"prompt_tokens":5}}`:                    {`{"prompt_tokens":5}`, "", true},
		`{"choices": [ ] , "usage" : null}`:                                      {"", "", true},
		`{"choices":[{"delta":{"content":"]}\""}}],"usage":{"a":[1,{"b":"}"}]}}`: {`{"a":[1,{"b":"}"}]}`, "", false},
		`{"error":{"message":"m","code":500}}`:                                   {"", `{"message":"m","code":500}`, false},
		`{"choices":[{"usage":{"x":1}}],"n":1.5e3,"ok":true,"error":null}`:       {"", "", false},
		`{"usage":{"prompt_tokens":5}`:                                           {`{"prompt_tokens":5}`, "", false},
		`{"usage":`:                                                              {"", "", false},
		`{"usage"`:                                                               {"", "", false},
		`["usage"]`:                                                              {"", "", false},
	} {
		c := parseChunk([]byte(in))
		if c == nil {
			t.Errorf("%s: not parsed", in)
			continue
		}
		if string(c.usage) != want.usage || string(c.err) != want.err || c.last != want.last {
			t.Errorf("%s: got usage %s, error %s, last %v", in, c.usage, c.err, c.last)
		}
	}
	if c := parseChunk([]byte(`{"choices":[{"delta":{"content":"\"usage\":1"}}]}`)); c != nil {
		t.Errorf("content was taken for a key: %+v", c)
	}
}

func FuzzParseChunk(f *testing.F) {
	f.Add([]byte(`{"a":1,"usage":{"prompt_tokens":5},"choices":[]}`))
	f.Add([]byte(`{ "usage" : {} , "error":"\\"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c := parseChunk(in)
		if c == nil || !json.Valid(in) {
			return
		}
		if cut := string(in[:c.cutFrom]) + string(in[c.cutTo:]); !json.Valid([]byte(cut)) {
			t.Fatalf("%s without usage is %s", in, cut)
		}
		if c.usage != nil && !json.Valid(c.usage) || c.err != nil && !json.Valid(c.err) {
			t.Fatalf("%s: usage %s, error %s", in, c.usage, c.err)
		}
	})
}

func TestEventsAreWholeAndBounded(t *testing.T) {
	e := newEvents(strings.NewReader("\n: ping\n\ndata: a\r\n\r\nevent: x\ndata: b\n\ndata: cut"), 64)
	for _, want := range []string{"", "a", "b"} {
		event, err := e.next()
		if err != nil || string(eventData(event)) != want {
			t.Fatalf("got %q, %v, want %q", event, err, want)
		}
	}
	if _, err := e.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("cut event: got %v", err)
	}
	if _, err := newEvents(strings.NewReader("data: a\n\n"), 64).next(); err != nil {
		t.Fatal(err)
	}
	if _, err := newEvents(strings.NewReader(""), 64).next(); !errors.Is(err, io.EOF) {
		t.Fatalf("clean end: got %v", err)
	}
	if _, err := newEvents(strings.NewReader(strings.Repeat("x", 100_000)), 64).next(); !errors.Is(err, errEventTooLarge) {
		t.Fatalf("endless line: got %v", err)
	}
	if _, err := newEvents(strings.NewReader(strings.Repeat("data: x\n", 100)), 64).next(); !errors.Is(err, errEventTooLarge) {
		t.Fatalf("endless event: got %v", err)
	}
}

func TestLimiterTellsRemotesApartAndForgetsThem(t *testing.T) {
	l := newLimiter(1, 2)
	now := time.Unix(1_000_000, 0)
	allowed := func(addr string, at time.Time) (n int) {
		for range 5 {
			if l.allow(addr, at) {
				n++
			}
		}
		return n
	}
	if got := allowed("192.0.2.1:1", now) + allowed("192.0.2.1:2", now); got != 2 {
		t.Fatalf("one address, two ports: got %d", got)
	}
	if got := allowed("[2001:db8::1]:1", now) + allowed("[2001:db8::2]:1", now); got != 2 {
		t.Fatalf("one /64: got %d", got)
	}
	if got := allowed("192.0.2.2:1", now); got != 2 {
		t.Fatalf("another address: got %d", got)
	}
	if got := allowed("192.0.2.1:1", now.Add(time.Second)); got != 1 {
		t.Fatalf("a second later: got %d", got)
	}
	l.giveBack("192.0.2.1:3")
	l.giveBack("192.0.2.7:3") // unknown
	if got := allowed("192.0.2.1:1", now.Add(time.Second)); got != 1 {
		t.Fatalf("after one was given back: got %d", got)
	}
	allowed("192.0.2.9:1", now.Add(3*remoteIdle))
	if len(l.remotes) != 1 {
		t.Fatalf("idle addresses are kept: %d", len(l.remotes))
	}
	if !newLimiter(0, 0).allow("192.0.2.1:1", now) {
		t.Fatal("no limit refuses")
	}
}
