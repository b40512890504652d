// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
	"github.com/gpucoord/gpucoord/relayer/sigcheck"
)

// stageRounds is how often each stage is repeated.
const stageRounds = 3_000

// stage is one thing that the host does for a job and a bare proxy does not.
type stage struct {
	name string
	cost time.Duration // of the processor, a job
}

// benchStages measures by itself what a job costs the host beside passing bytes on, in processor time, and what of it can be left out:
// nothing, for each line is a promise of the protocol.
func benchStages(out io.Writer, opts options) error {
	stages, err := measureStages(opts)
	if err != nil {
		return err
	}
	t := table{title: "where a job's processor time goes in the host, each stage by itself"}
	var sum time.Duration
	for _, s := range stages {
		sum += s.cost
		t.add(s.name, microseconds(s.cost), "")
	}
	t.add("all of these", microseconds(sum), "")
	return t.write(out)
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%s µs", decimal(d.Nanoseconds()))
}

func measureStages(opts options) ([]stage, error) {
	key, err := privateKey("host")
	if err != nil {
		return nil, err
	}
	domain, salt := receipt.NewDomain(chainID, evmChainID), [wire.SaltSize]byte{1}
	auth := receipt.JobAuth{Payer: receipt.KeyAddress(key), Operator: receipt.KeyAddress(key), ModelID: modelID, MaxAmount: 1_000}
	record := receipt.Record{Auth: auth, Epoch: 3, Outcome: receipt.OutcomeOK}
	digest := auth.ID(domain)
	sig := sigcheck.Sign(key, digest)
	header, answer := wire.EncodeJobAuth(&auth, sig), []byte(strings.Repeat("x", 400))
	var failed error
	keep := func(err error) {
		if err != nil {
			failed = err
		}
	}
	stages := []stage{
		{"recover the payer's signature", each(func() {
			_, err := sigcheck.Recover(digest, sig)
			keep(err)
		})},
		{"sign the receipt", each(func() { record.SigOperator = sigcheck.Sign(key, digest) })},
		{"hash authorisation and receipt (EIP-712)", each(func() { digest = auth.ID(domain); _ = record.Digest(domain) })},
		{"hash request and answer", each(func() { _, _ = wire.Commit(salt, []byte(jobBody)), wire.Commit(salt, answer) })},
		{"read the authorisation, spell the receipt", each(func() {
			_, _, err := wire.DecodeJobAuth(header)
			keep(err)
			_ = wire.EncodeReceipt(&record)
		})},
		{"read the request, encode it for the engine", each(func() {
			var fields map[string]json.RawMessage
			keep(json.Unmarshal([]byte(jobBody), &fields))
			_, err := json.Marshal(fields)
			keep(err)
		})},
	}
	logged, err := logStage(opts, &record)
	return append(stages, stage{"nonce and receipt on disk, synced in groups", logged}), errors.Join(err, failed)
}

// each returns the processor time of one call.
func each(do func()) time.Duration {
	begun := processorTime()
	for range stageRounds {
		do()
	}
	return (processorTime() - begun) / stageRounds
}

// logStage puts both frames of many jobs into a log, from as many clients as the run has.
func logStage(opts options, record *receipt.Record) (cost time.Duration, err error) {
	dir, err := os.MkdirTemp(opts.dir, "log-")
	if err != nil {
		return 0, err
	}
	l, err := receiptlog.Open(receiptlog.Options{Dir: dir}, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	g, ctx := errgroup.WithContext(context.Background())
	begun := processorTime()
	for client := range opts.clients {
		g.Go(func() error {
			for i := range stageRounds / opts.clients {
				id := [32]byte{byte(client), byte(i >> 8), byte(i)} //nolint:gosec // a name for a job
				if err := l.Admit(ctx, receiptlog.Admission{JobID: id}); err != nil {
					return err
				}
				if err := l.Receipt(ctx, id, record); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	return (processorTime() - begun) / stageRounds, err
}
