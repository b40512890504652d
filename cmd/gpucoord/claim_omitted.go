// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sort"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/types/bech32"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// Errors of "receipt claim-omitted".
var (
	errNotSR1     = errors.New("the file must hold one SR1 record: its 533 or 598 bytes, or those as hex or base64url")
	errClaimed    = errors.New("the receipt was claimed, nothing is omitted")
	errOtherOrder = errors.New("the batch's records are not in order: that is fraud of its own, which a watchtower reports")
)

func newClaimOmittedCommand(clientCtx client.Context) *cobra.Command {
	var o bundleOptions
	noted := new(refusal)
	cmd := &cobra.Command{
		Use:   "claim-omitted FILE",
		Short: "Show a receipt that its host never claimed",
		Long: `Show the chain a receipt that its host never claimed, after the submit window of the receipt's epoch.

FILE holds the SR1 record that the host gave with its answer. A receipt that a gateway settles needs the gateway's
countersignature; it is counted against the host. One that the operator settles costs the operator three times what the job
owed. If a group of the host's batch has a range that includes the receipt's seq, the batch's records show that the receipt is
not among them: they are read from --da, or from the address that the batch names if --allow-host allows its host.`,
		Args:               cobra.ExactArgs(1),
		PersistentPreRunE:  func(cmd *cobra.Command, _ []string) error { return prepareClient(cmd, clientCtx, needsClient, noted) },
		PersistentPostRunE: func(*cobra.Command, []string) error { return noted.err },
		RunE:               func(cmd *cobra.Command, args []string) error { return runClaimOmitted(cmd, args[0], o) },
	}
	flags.AddTxFlagsToCmd(cmd)
	cmd.Flags().StringArrayVar(&o.sources, "da", nil, "base URL of a relayer, or a DA file; may be repeated")
	cmd.Flags().StringArrayVar(&o.allowHosts, "allow-host", nil, "host[:port] that may be asked if a batch names it; may be repeated")
	return cmd
}

func runClaimOmitted(cmd *cobra.Command, path string, o bundleOptions) error {
	clientCtx, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sr1, err := readSR1(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	b := newBundler(clientCtx.WithCmdContext(cmd.Context()), o)
	domain, err := b.domain(cmd.Context())
	if err != nil {
		return err
	}
	evidence, err := b.omission(cmd.Context(), sr1, domain)
	if err != nil {
		return err
	}
	reporter, err := bech32.ConvertAndEncode(app.Bech32Prefix, clientCtx.GetFromAddress())
	if err != nil {
		return err
	}
	msg := &receiptstypes.MsgClaimOmitted{Reporter: reporter, Evidence: evidence.Append(nil)}
	return tx.GenerateOrBroadcastTxCLI(clientCtx, cmd.Flags(), msg)
}

// readSR1 takes a record as it is, or as text. Errors: errNotSR1.
func readSR1(text []byte) ([]byte, error) {
	if isSR1(text) {
		return text, nil
	}
	text = bytes.TrimSpace(text)
	if raw, err := hex.DecodeString(string(text)); err == nil && isSR1(raw) {
		return raw, nil
	}
	if raw, err := base64.RawURLEncoding.DecodeString(string(bytes.TrimRight(text, "="))); err == nil && isSR1(raw) {
		return raw, nil
	}
	return nil, errNotSR1
}

func isSR1(b []byte) bool { return len(b) == receipt.Size || len(b) == receipt.SizeCountersigned }

// omission makes the evidence that a record's host never claimed it.
//
// Errors: those of the record rules, errClaimed, errOtherOrder, and those of reading the batch's records.
func (b *bundler) omission(ctx context.Context, sr1 []byte, domain receipt.Domain) (*fraud.Omission, error) {
	evidence := &fraud.Omission{SR1: sr1}
	record, jobID, err := evidence.Record(receipt.Checker{Domain: domain})
	if err != nil {
		return nil, fmt.Errorf("the record cannot be shown: %w", err)
	}
	settler, err := b.settlerOf(ctx, &record)
	if err != nil {
		return nil, err
	}
	batch, position, found, err := b.groupWith(ctx, &record, settler)
	if err != nil || !found {
		return evidence, err
	}
	records, err := b.records(ctx, batch, wanted{})
	if err != nil {
		return nil, fmt.Errorf("batch %d claims receipts around this one: %w", batch.Id, err)
	}
	groups, err := batchGroups(batch)
	if err != nil {
		return nil, err
	}
	openings, err := openAround(groups, int(position), records, record.Seq, jobID, domain)
	if err != nil {
		return nil, fmt.Errorf("batch %d, group %d: %w", batch.Id, position, err)
	}
	for _, o := range openings {
		evidence.Around = append(evidence.Around, fraud.Placed{BatchID: batch.Id, Group: position, Opening: o})
	}
	if err := evidence.Check(record.Seq, jobID, batch.Id, position, &groups[position]); err != nil {
		return nil, err
	}
	return evidence, nil
}

// domain is what the chain's receipts are signed in.
func (b *bundler) domain(ctx context.Context) (receipt.Domain, error) {
	params, err := b.operators.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return receipt.Domain{}, fmt.Errorf("ask for the parameters: %w", err)
	}
	status, err := b.node.Status(ctx)
	if err != nil {
		return receipt.Domain{}, fmt.Errorf("ask for the chain's id: %w", err)
	}
	return receipt.NewDomain(status.NodeInfo.Network, params.Params.EvmChainId), nil
}

// settlerOf returns the account that settles a record.
func (b *bundler) settlerOf(ctx context.Context, r *receipt.Record) ([]byte, error) {
	key, err := b.operators.HostKey(ctx, &operatorstypes.QueryHostKeyRequest{Address: hex.EncodeToString(r.Auth.Operator[:])})
	if err != nil {
		return nil, fmt.Errorf("ask for the host's key: %w", err)
	}
	payer, err := b.receipts.Payer(ctx, &receiptstypes.QueryPayerRequest{
		Key: hex.EncodeToString(r.Auth.Payer[:]), IssuedAt: r.Auth.IssuedAt, Operator: key.Key.Operator,
	})
	if err != nil {
		return nil, fmt.Errorf("ask who settles the receipt: %w", err)
	}
	account := key.Key.Operator
	if payer.GatewayKey {
		account = payer.Settler.Address
	}
	_, settler, err := bech32.DecodeAndConvert(account)
	return settler, err
}

// groupWith finds the batch and group of the record's host, epoch, settler, model and adapter whose range has its seq.
func (b *bundler) groupWith(ctx context.Context, r *receipt.Record, settler []byte) (*receiptstypes.Batch, uint32, bool, error) {
	request := &receiptstypes.QueryBatchesRequest{ByEpoch: true, Epoch: r.Epoch, Pagination: &query.PageRequest{Limit: receiptstypes.MaxPageLimit}}
	for {
		page, err := b.receipts.Batches(ctx, request)
		if err != nil {
			return nil, 0, false, fmt.Errorf("ask for the batches of epoch %d: %w", r.Epoch, err)
		}
		for i := range page.Batches {
			batch := &page.Batches[i]
			if !bytes.Equal(batch.HostKey, r.Auth.Operator[:]) {
				continue
			}
			if position, found := batch.GroupOf(settler, r.Auth.ModelID, r.Auth.AdapterID, r.Seq); found {
				return batch, position, true, nil
			}
		}
		if page.Pagination == nil || len(page.Pagination.NextKey) == 0 {
			return nil, 0, false, nil
		}
		request.Pagination = &query.PageRequest{Key: page.Pagination.NextKey, Limit: receiptstypes.MaxPageLimit}
	}
}

// openAround opens the leaf that has the seq for another job, or the two on both sides of it.
//
// Errors: errDAContent, errClaimed, errOtherOrder, and those of the tree.
func openAround(groups []sumtree.Group, position int, records [][]byte, seq uint64, jobID [32]byte, domain receipt.Domain) ([]sumtree.Opening, error) {
	for i := range position {
		if uint64(len(records)) < groups[i].Count {
			return nil, errDAContent
		}
		records = records[groups[i].Count:]
	}
	if uint64(len(records)) < groups[position].Count {
		return nil, errDAContent
	}
	mine := records[:groups[position].Count]
	seqs, jobs := make([]uint64, len(mine)), make([][32]byte, len(mine))
	for i, sr1 := range mine {
		r, err := receipt.Decode(sr1)
		if err != nil {
			return nil, err
		}
		seqs[i], jobs[i] = r.Seq, r.JobID(domain)
	}
	at := sort.Search(len(seqs), func(i int) bool { return seqs[i] >= seq })
	wantedLeaves := []int{at - 1, at}
	switch {
	case at == len(seqs):
		return nil, errOtherOrder
	case seqs[at] == seq && jobs[at] == jobID:
		return nil, errClaimed
	case seqs[at] == seq:
		wantedLeaves = []int{at}
	case at == 0:
		return nil, errOtherOrder
	}
	var out []sumtree.Opening
	for _, leaf := range wantedLeaves {
		opening, err := openLeaf(&groups[position], mine, uint64(leaf), domain) //nolint:gosec // not negative
		if err != nil {
			return nil, err
		}
		out = append(out, opening)
	}
	return out, nil
}
