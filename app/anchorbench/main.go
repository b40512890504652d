// SPDX-License-Identifier: Apache-2.0

// Command anchorbench measures what anchoring costs a chain of 100 validators, and prints a table.
//
// Three chains run the same blocks of 200 transfers in turn: one without anchor keys, one that anchors at the default interval, and
// one that is made to anchor every fourth block. A block is PrepareProposal, ProcessProposal, FinalizeBlock and Commit, by processor
// time; votes come on their own. The share of a block is that of a chain at the default interval.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/receipt"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

const (
	validators = 100
	transfers  = 200
	rounds     = 24 // blocks of each chain, after warmUp
	warmUp     = 4
	often      = 4 // blocks between two anchors of the third chain

	voteLimit       = 250 * time.Microsecond
	shareLimitMille = 20 // thousandths
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "anchorbench:", err)
		os.Exit(1)
	}
}

// bench is one chain and what its blocks took.
type bench struct {
	net      *apptest.Net
	accounts []*apptest.Account
	spent    time.Duration
	blocks   []time.Duration
}

func newBench(keys bool, patch func(*anchorstypes.Params)) (*bench, error) {
	b := &bench{}
	for i := range transfers {
		b.accounts = append(b.accounts, apptest.NewAccount(fmt.Sprintf("payer-%d", i), sdk.NewInt64Coin(app.BondDenom, 1_000_000)))
	}
	powers := make([]int64, validators)
	for i := range powers {
		powers[i] = 1_000
	}
	net, err := apptest.NewNet(apptest.Options{
		Powers: powers, AnchorKeys: keys, Accounts: b.accounts, Gas: 150_000,
		Patch: func(a *app.App, state app.GenesisState) error {
			edit := func(gs *anchorstypes.GenesisState) error { patch(&gs.Params); return nil }
			return apptest.Edit(a.Encoding().Codec, state, anchorstypes.ModuleName, &anchorstypes.GenesisState{}, edit)
		},
	}, 1)
	if err != nil {
		return nil, err
	}
	net.Around = func(part func() error) error {
		before := processorTime()
		err := part()
		b.spent += processorTime() - before
		return err
	}
	b.net = net
	return b, nil
}

// block runs one block of transfers.
func (b *bench) block(measured bool) error {
	var txs [][]byte
	if b.net.Height() > 0 {
		for i, from := range b.accounts {
			to := b.accounts[(i+1)%len(b.accounts)].Address
			tx, err := b.net.Sign(from, banktypes.NewMsgSend(from.Address, to, sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 1))))
			if err != nil {
				return err
			}
			txs = append(txs, tx)
		}
	}
	runtime.GC()
	b.spent = 0
	response, err := b.net.Step(txs...)
	if err != nil {
		return err
	}
	if err := check(response, len(txs)); err != nil {
		return err
	}
	if measured {
		b.blocks = append(b.blocks, b.spent)
	}
	return nil
}

// check finds a transfer that failed or is missing; the first entry may be the anchor signatures, which are none.
func check(response *abci.ResponseFinalizeBlock, want int) error {
	if len(response.TxResults) < want {
		return fmt.Errorf("%d transactions in a block, want %d", len(response.TxResults), want)
	}
	for i, result := range response.TxResults {
		if result.Code != 0 && i > 0 {
			return fmt.Errorf("transaction %d: %s", i, result.Log)
		}
	}
	return nil
}

func (b *bench) mean() time.Duration {
	var sum time.Duration
	for _, d := range b.blocks {
		sum += d
	}
	return sum / time.Duration(max(1, len(b.blocks)))
}

func (b *bench) median() time.Duration {
	sorted := slices.Sorted(slices.Values(b.blocks))
	return sorted[len(sorted)/2]
}

func run(out io.Writer) error {
	vote, err := voteCost()
	if err != nil {
		return err
	}
	without, err := newBench(false, func(*anchorstypes.Params) {})
	if err != nil {
		return err
	}
	usual, err := newBench(true, func(*anchorstypes.Params) {})
	if err != nil {
		return err
	}
	frequent, err := newBench(true, func(p *anchorstypes.Params) {
		p.IntervalBlocks, p.AnchorTimeoutBlocks = often, often
		p.TrustingPeriodSeconds = 60 // a third of it, 20 s or four blocks, makes an anchor due without leaves
	})
	if err != nil {
		return err
	}
	for i := range warmUp + rounds {
		for _, b := range []*bench{without, usual, frequent} {
			if err := b.block(i >= warmUp); err != nil {
				return err
			}
		}
	}
	return report(out, vote, without, usual, frequent)
}

func report(out io.Writer, vote time.Duration, without, usual, frequent *bench) error {
	interval := int64(anchorstypes.DefaultParams().IntervalBlocks) //nolint:gosec // small
	ordinary := max(0, usual.median()-without.median())
	anchor := max(0, (frequent.mean()-usual.mean())*often)
	share := (ordinary + anchor/time.Duration(interval)) * 1_000 / without.median()
	title := fmt.Sprintf("\nanchoring with %d validators, blocks of %d transfers, processor time\n", validators, transfers)
	if _, err := fmt.Fprint(out, title); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"VerifyVoteExtension", fmt.Sprintf("%d us (limit %d us) %s", vote.Microseconds(), voteLimit.Microseconds(), word(vote <= voteLimit))},
		{"block without anchors", micros(without.median())},
		{"block at the default interval, no anchor open", micros(usual.median())},
		{"block, an anchor in every fourth", micros(frequent.mean())},
		{"an anchor, all its blocks together", micros(anchor)},
		{
			fmt.Sprintf("share of a block at %d blocks an anchor", interval),
			fmt.Sprintf("%d.%d %% (limit 2 %%) %s", share/10, share%10, word(share < shareLimitMille)),
		},
	} {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return w.Flush()
}

func word(kept bool) string {
	if kept {
		return "PASS"
	}
	return "MISS"
}

func micros(d time.Duration) string { return fmt.Sprintf("%d us", d.Microseconds()) }

// voteCost is the median of VerifyVoteExtension for signatures that were never seen before, of a set of 100.
func voteCost() (time.Duration, error) {
	b, err := newBench(true, func(*anchorstypes.Params) {})
	if err != nil {
		return 0, err
	}
	if _, err := b.net.Step(); err != nil {
		return 0, err
	}
	ballot, err := b.net.App.Anchors.Ballot(b.net.Context())
	if err != nil {
		return 0, err
	}
	var costs []time.Duration
	for _, v := range b.net.Validators {
		signature := receipt.Sign(v.AnchorKey, ballot.Digest)
		before := time.Now() //nolint:forbidigo // this program measures time
		response, err := b.net.App.VerifyVoteExtension(&abci.RequestVerifyVoteExtension{Height: 2, VoteExtension: signature[:]})
		costs = append(costs, time.Since(before)) //nolint:forbidigo // see above
		if err != nil {
			return 0, err
		}
		if response.Status != abci.ResponseVerifyVoteExtension_ACCEPT {
			return 0, apptest.ErrVote
		}
	}
	slices.Sort(costs)
	return costs[len(costs)/2], nil
}

// processorTime is what all threads of this process have used so far.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0 // it only fails for a wrong argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
