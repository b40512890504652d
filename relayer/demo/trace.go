// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Errors of a trace file. The text of each names the line.
var (
	ErrTraceHeader = errors.New("the first line of a trace must be TIMESTAMP,ContextTokens,GeneratedTokens")
	ErrTraceRow    = errors.New("a line of a trace must be a time such as 2023-11-16 18:15:46.6805900 and two token counts")
	ErrTraceTokens = errors.New("token counts of a trace must be 1 to 131072")
	ErrTraceOrder  = errors.New("the times of a trace must not fall")
	ErrTraceEmpty  = errors.New("the trace holds no request")
	ErrTraceLine   = errors.New("a line of a trace is longer than 256 bytes: is this a trace?")
)

// Request is one line of a trace.
type Request struct {
	// At is when it arrives, after the first one.
	At time.Duration
	// ContextTokens and GeneratedTokens are its sizes.
	ContextTokens, GeneratedTokens uint64
}

const (
	traceHeader    = "TIMESTAMP,ContextTokens,GeneratedTokens"
	traceTime      = "2006-01-02 15:04:05.999999999"
	maxTraceTokens = 131_072
	maxTraceLine   = 256
)

// ReadTrace reads the first limit requests of an Azure LLM inference trace; limit 0 reads all.
//
// Errors: ErrTraceHeader, ErrTraceRow, ErrTraceTokens, ErrTraceOrder, ErrTraceEmpty, ErrTraceLine, or the reader's.
func ReadTrace(r io.Reader, limit int) ([]Request, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxTraceLine), maxTraceLine)
	if !lines.Scan() || strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff")) != traceHeader {
		return nil, errors.Join(scanError(lines.Err()), ErrTraceHeader)
	}
	var (
		out   []Request
		first time.Time
	)
	for n := 2; (limit == 0 || len(out) < limit) && lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		at, request, err := parseRow(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %q", n, err, text)
		}
		if len(out) == 0 {
			first = at
		}
		request.At = at.Sub(first)
		if len(out) > 0 && request.At < out[len(out)-1].At {
			return nil, fmt.Errorf("line %d: %w: %q", n, ErrTraceOrder, text)
		}
		out = append(out, request)
	}
	if err := lines.Err(); err != nil {
		return nil, scanError(err)
	}
	if len(out) == 0 {
		return nil, ErrTraceEmpty
	}
	return out, nil
}

func scanError(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return ErrTraceLine
	}
	return err
}

func parseRow(text string) (time.Time, Request, error) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return time.Time{}, Request{}, ErrTraceRow
	}
	at, err := time.Parse(traceTime, strings.TrimSpace(fields[0]))
	if err != nil {
		return time.Time{}, Request{}, ErrTraceRow
	}
	var counts [2]uint64
	for i, field := range fields[1:] {
		if counts[i], err = strconv.ParseUint(strings.TrimSpace(field), 10, 64); err != nil {
			return time.Time{}, Request{}, ErrTraceRow
		}
		if counts[i] == 0 || counts[i] > maxTraceTokens {
			return time.Time{}, Request{}, ErrTraceTokens
		}
	}
	return at, Request{ContextTokens: counts[0], GeneratedTokens: counts[1]}, nil
}

func readTraceFile(path string, limit int) ([]Request, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	defer f.Close()
	requests, err := ReadTrace(f, limit)
	if err != nil {
		return nil, fmt.Errorf("--trace %s: %w", path, err)
	}
	return requests, nil
}

// builtinTrace is a small trace that is the same at every run: 5 requests a second with the mean sizes of a public
// conversation service, made by a fixed recurrence.
func builtinTrace(n int) []Request {
	out := make([]Request, n)
	state := uint64(2_023)
	next := func(below uint64) uint64 {
		state = state*6_364_136_223_846_793_005 + 1_442_695_040_888_963_407
		return (state >> 33) % below
	}
	at := time.Duration(0)
	for i := range out {
		out[i] = Request{At: at, ContextTokens: 60 + next(2_000), GeneratedTokens: 10 + next(400)}
		at += time.Duration(next(400)) * time.Millisecond
	}
	return out
}
