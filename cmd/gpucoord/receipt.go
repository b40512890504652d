// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/verify"
)

// Errors of what "receipt bundle" is asked for.
var (
	errWhichReceipt = errors.New("name one receipt: --job JOBID, --record FILE, or --batch ID --group N --leaf N")
	errJobID        = errors.New("a job id is 64 hex digits")
	errNotProven    = errors.New("the bundle does not verify; nothing was written")
)

// bundleOptions are the flags of "receipt bundle".
type bundleOptions struct {
	node         string
	job          string
	batch        uint64
	group        uint32
	leaf         uint64
	epoch        int64
	recordFile   string
	sources      []string
	allowHosts   []string
	batchHeight  int64
	nonce        uint64
	headerHeight int64
	trustHeight  int64
	out          string
}

func newReceiptCommand(clientCtx client.Context) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receipt",
		Short: "Evidence of single receipts",
		RunE:  client.ValidateCmd,
		// Only --node is asked; there is no home to read or write.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(newReceiptBundleCommand(clientCtx), newClaimOmittedCommand(clientCtx))
	return cmd
}

func newReceiptBundleCommand(clientCtx client.Context) *cobra.Command {
	var o bundleOptions
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Write one file that proves a settled receipt without the network",
		Long: `Write one JSON file that leads from a receipt to a block header and to an anchor, for "gpucoord verify receipt".

The receipt is named by its job id, by its record in a file, or by its place: batch, group and leaf, from 0. The records of
its batch come from --da: the base URL of a relayer that serves them under /da/, or a DA file. The URL that the batch itself
names is asked only if its host is allowed by --allow-host, and no redirect is followed.

The batch must be settled and in an attested anchor; the newest one is taken, or --anchor. State is proven at the newest
block, or by the header at --header-height. Name the height of a header that the reader trusts with --trust-height, if it is
an earlier one. A batch that the chain has pruned is read from an archive node at --batch-height.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReceiptBundle(cmd, clientCtx, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.node, flags.FlagNode, "tcp://localhost:26657", "CometBFT RPC of a node")
	f.StringVar(&o.job, "job", "", "the job's id, 64 hex digits")
	f.Uint64Var(&o.batch, "batch", 0, "the batch's id")
	f.Uint32Var(&o.group, "group", 0, "the group's position in the batch, from 0")
	f.Uint64Var(&o.leaf, "leaf", 0, "the receipt's position in the group, from 0")
	f.Int64Var(&o.epoch, "epoch", -1, "look for --job in the batches of this epoch only")
	f.StringVar(&o.recordFile, "record", "", "file with the SR1 record, 533 or 598 bytes")
	f.StringArrayVar(&o.sources, "da", nil, "base URL of a relayer, or a DA file; may be repeated")
	f.StringArrayVar(&o.allowHosts, "allow-host", nil, "host[:port] that may be asked if a batch names it; may be repeated")
	f.Int64Var(&o.batchHeight, "batch-height", 0, "read the batch at this height")
	f.Uint64Var(&o.nonce, "anchor", 0, "take this anchor instead of the newest")
	f.Int64Var(&o.headerHeight, "header-height", 0, "prove the state by this header instead of the newest")
	f.Int64Var(&o.trustHeight, "trust-height", 0, "add this earlier header, from which a light client can start")
	f.StringVar(&o.out, "out", "", "where to write the bundle")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// wanted is the receipt that was asked for.
type wanted struct {
	job    *[32]byte
	sr1    []byte
	record *receipt.Record
}

func (o *bundleOptions) wanted() (w wanted, err error) {
	if o.job != "" {
		raw, err := hex.DecodeString(strings.TrimPrefix(o.job, "0x"))
		if err != nil || len(raw) != 32 {
			return w, fmt.Errorf("--job %q: %w", o.job, errJobID)
		}
		job := [32]byte(raw)
		w.job = &job
	}
	if o.recordFile != "" {
		if w.sr1, err = os.ReadFile(o.recordFile); err != nil {
			return w, err
		}
		record, err := receipt.Decode(w.sr1)
		if err != nil {
			return w, fmt.Errorf("%s: %w", o.recordFile, err)
		}
		w.record = &record
	}
	if w.job == nil && w.record == nil && o.batch == 0 {
		return w, errWhichReceipt
	}
	return w, nil
}

func runReceiptBundle(cmd *cobra.Command, clientCtx client.Context, o bundleOptions) error {
	want, err := o.wanted()
	if err != nil {
		return err
	}
	rpc, err := client.NewClientFromNode(o.node)
	if err != nil {
		return fmt.Errorf("--node %s: %w", o.node, err)
	}
	b := newBundler(clientCtx.WithNodeURI(o.node).WithClient(rpc).WithCmdContext(cmd.Context()), o)
	bundle, header, err := b.make(cmd.Context(), want)
	if err != nil {
		return err
	}
	text, err := bundle.Encode()
	if err != nil {
		return err
	}
	if err := b.selfCheck(cmd, text, header); err != nil {
		return err
	}
	if err := os.WriteFile(o.out, append(text, '\n'), 0o644); err != nil { //nolint:gosec // public evidence
		return err
	}
	cmd.Printf("%s: %d bytes. Its header is %d:%X; trust it only if someone else tells you the same.\n", o.out, len(text)+1, header.Height, header.Hash)
	return nil
}

// selfCheck refuses to hand out a bundle that does not verify, whatever the node answered.
func (b *bundler) selfCheck(cmd *cobra.Command, text []byte, header verify.Trust) error {
	report := verify.Verify(cmd.Context(), text, verify.Options{Trust: header, Now: wallClock()})
	if report.ExitCode() != 1 {
		return nil
	}
	if err := report.Write(cmd.ErrOrStderr()); err != nil {
		return err
	}
	return errNotProven
}
