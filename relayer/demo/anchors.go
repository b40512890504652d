// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/relayer/evm"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// Names of the checks of anchors.
const (
	// CheckAnchored is the name of the check that what stands on the EVM chain is the chain's.
	CheckAnchored = "every anchor on the EVM chain is the chain's"
	// CheckNotInVain is the name of the check that the anchorer paid for nothing that did not land.
	CheckNotInVain = "every transaction of the anchorer landed an anchor"
	// CheckVerified is the name of the check that one receipt is proven from its record to the EVM contract.
	CheckVerified = "one receipt is verified all the way: record, batch, log, header, anchor, EVM contract"
)

// landTimeout bounds the wait until the contract holds the anchor of a settled batch.
const landTimeout = 2 * time.Minute

// AnchorsReport says how far the chain's log is anchored.
type AnchorsReport struct {
	// Attested is how many attested anchors the chain keeps; the rest is of the newest.
	Attested   int    `json:"attested"`
	Nonce      uint64 `json:"nonce"`
	Height     uint64 `json:"height"`
	TreeSize   uint64 `json:"tree_size"`
	Signatures int    `json:"signatures"`
	// EVM is absent with --no-evm.
	EVM *EVMReport `json:"evm,omitempty"`
}

// EVMReport says what stands on the EVM chain.
type EVMReport struct {
	Chain string `json:"chain"`
	// Simulated says that the chain is the embedded one.
	Simulated bool   `json:"simulated"`
	ChainID   uint64 `json:"chain_id"`
	Contract  string `json:"contract"`
	Account   string `json:"account"`
	// LagLeaves and LagSeconds are how far the contract's newest anchor is behind the chain's.
	LagLeaves  uint64 `json:"lag_leaves"`
	LagSeconds uint64 `json:"lag_seconds"`
	GasUsed    uint64 `json:"gas_used"`
	// Transactions are those that the account has sent since the contract was made.
	Transactions uint64    `json:"transactions"`
	Landed       []Landing `json:"landed"`
	// Receipt is the receipt that was verified.
	Receipt *ReceiptReport `json:"receipt,omitempty"`
}

// Landing is one anchor in the contract.
type Landing struct {
	Nonce    uint64 `json:"nonce"`
	Height   uint64 `json:"height"`
	TreeSize uint64 `json:"tree_size"`
	Root     string `json:"root"`
	Tx       string `json:"tx"`
	Block    uint64 `json:"block"`
	Gas      uint64 `json:"gas"`
	// Seconds are from the anchor's time to the EVM block's, by the clocks of the two chains.
	Seconds uint64 `json:"seconds"`
}

// auditAnchors reads the anchors of both chains, proves one receipt, and adds the checks to the report. trusted is a header from
// before the requests.
func (w *World) auditAnchors(ctx context.Context, out *Outcome, trusted string) error {
	r := out.Report
	if w.evm == nil {
		_, err := w.readAttested(ctx, r)
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.evm.done:
	}
	if w.evm.err != nil {
		return w.evm.err
	}
	var proof *ReceiptReport
	if batch, group := exampleGroup(out.facts, true); batch != nil {
		held, err := w.waitLanded(ctx, batch.LogIndex)
		if err != nil {
			r.check(CheckVerified, false, "%v", err)
		} else {
			proof = w.prove(ctx, provable{batch: batch, group: group, anchor: held, trusted: trusted})
			r.check(CheckVerified, proof.Verified, "%s", proof.Conclusion)
		}
	}
	attested, err := w.readAttested(ctx, r)
	if err != nil {
		return err
	}
	if r.Anchors.EVM, err = w.readEVM(ctx, attested, r); err != nil {
		return fmt.Errorf("read the EVM chain: %w", err)
	}
	r.Anchors.EVM.Receipt = proof
	return nil
}

// check adds a check.
func (r *Report) check(name string, ok bool, format string, args ...any) {
	r.Checks = append(r.Checks, Check{Name: name, OK: ok, Detail: fmt.Sprintf(format, args...)})
	r.InvariantsOK = r.InvariantsOK && ok
}

// readAttested reads the chain's attested anchors, by nonce, into the report too.
func (w *World) readAttested(ctx context.Context, r *Report) (map[uint64]*anchorstypes.AttestedAnchor, error) {
	out := make(map[uint64]*anchorstypes.AttestedAnchor)
	r.Anchors = &AnchorsReport{}
	page := &query.PageRequest{Limit: pageLimit}
	for {
		res, err := w.chain.Anchors.Anchors(ctx, &anchorstypes.QueryAnchorsRequest{Pagination: page})
		if err != nil {
			return nil, fmt.Errorf("read the anchors: %w", err)
		}
		for i := range res.Anchors {
			a := &res.Anchors[i]
			out[a.Anchor.Nonce] = a
			r.Anchors.Attested++
			r.Anchors.Nonce, r.Anchors.Height, r.Anchors.TreeSize = a.Anchor.Nonce, a.Anchor.Height, a.Anchor.TreeSize
			r.Anchors.Signatures = len(a.Signatures)
		}
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return out, nil
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: pageLimit}
	}
}

// waitLanded returns the nonce of the contract's newest anchor when that holds a log of at least size leaves.
func (w *World) waitLanded(ctx context.Context, size uint64) (uint64, error) {
	contract := evm.NewContract(w.evm.contract)
	var state evm.State
	ctx, cancel := context.WithTimeoutCause(ctx, landTimeout, fmt.Errorf("no anchor of %d leaves has landed in %s; see %s", size, landTimeout, w.logPath(anchorer)))
	defer cancel()
	err := w.poll(ctx, func() (bool, error) {
		var err error
		state, err = contract.State(ctx, w.evm.client, nil)
		return err == nil && state.TreeSize >= size, nil //nolint:nilerr // the wait is bounded
	})
	return state.Nonce, err
}

// anchoredTopic is that of the contract's event Anchored.
var anchoredTopic = crypto.Keccak256Hash([]byte("Anchored(uint64,bytes32,uint64,uint64,uint64)"))

// readEVM reads everything at one block of the EVM chain and compares it with the chain's anchors, which were read before.
func (w *World) readEVM(ctx context.Context, attested map[uint64]*anchorstypes.AttestedAnchor, r *Report) (*EVMReport, error) {
	e := w.evm
	out := &EVMReport{
		Chain: e.label(), Simulated: e.dev != nil, ChainID: e.chainID, Contract: e.contract.Hex(), Account: e.account.Hex(), Landed: []Landing{},
	}
	head, err := e.client.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, err
	}
	nonce, err := e.client.NonceAt(ctx, e.account, head.Number)
	if err != nil {
		return nil, err
	}
	out.Transactions = nonce - e.spent
	logs, err := e.client.FilterLogs(ctx, ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(e.since), ToBlock: head.Number, Addresses: []common.Address{e.contract}, Topics: [][]common.Hash{{anchoredTopic}},
	})
	if err != nil {
		return nil, err
	}
	strange := 0
	for i := range logs {
		landing, stamp, err := w.landing(ctx, &logs[i])
		if err != nil {
			return nil, err
		}
		if a := attested[landing.Nonce]; a == nil {
			// One that was attested after the chain was read is looked for by itself.
			strange += w.missing(ctx, &landing)
		} else if !landing.is(a) {
			strange++
		}
		out.GasUsed += landing.Gas
		out.Landed = append(out.Landed, landing)
		out.LagLeaves, out.LagSeconds = r.Anchors.TreeSize-min(r.Anchors.TreeSize, landing.TreeSize), 0
		if newest := attested[r.Anchors.Nonce]; newest != nil && newest.Anchor.Time > stamp {
			out.LagSeconds = newest.Anchor.Time - stamp
		}
	}
	r.check(CheckAnchored, strange == 0 && len(logs) > 0, "%s, %d of them not the chain's", count(uint64(len(logs)), "anchor", "anchors"), strange)
	if e.dev != nil { // on somebody's chain others may submit too
		r.check(CheckNotInVain, out.Transactions == uint64(len(logs)), "%s for %s", count(out.Transactions, "transaction", "transactions"),
			count(uint64(len(logs)), "anchor", "anchors"))
	}
	return out, nil
}

// landing reads one event, its transaction's gas and its block. stamp is the anchor's time.
func (w *World) landing(ctx context.Context, l *types.Log) (out Landing, stamp uint64, err error) {
	if len(l.Topics) != 3 || len(l.Data) != 3*32 {
		return out, 0, fmt.Errorf("%w: an event of another form", ErrEVM)
	}
	word := func(i int) uint64 { return new(big.Int).SetBytes(l.Data[32*i : 32*i+32]).Uint64() }
	stamp = word(2)
	out = Landing{
		Nonce: l.Topics[1].Big().Uint64(), Root: hex.EncodeToString(l.Topics[2][:]), Height: word(0), TreeSize: word(1),
		Tx: l.TxHash.Hex(), Block: l.BlockNumber,
	}
	receipt, err := w.evm.client.TransactionReceipt(ctx, l.TxHash)
	if err != nil {
		return out, 0, err
	}
	out.Gas = receipt.GasUsed
	block, err := w.evm.client.HeaderByHash(ctx, l.BlockHash)
	if err != nil {
		return out, 0, err
	}
	out.Seconds = block.Time - min(block.Time, stamp)
	return out, stamp, nil
}

// is reports whether a landing is the chain's anchor.
func (l *Landing) is(a *anchorstypes.AttestedAnchor) bool {
	return a.Anchor.Height == l.Height && a.Anchor.TreeSize == l.TreeSize && hex.EncodeToString(a.Anchor.Root) == l.Root
}

// missing is 1 for a landing that the chain does not know.
func (w *World) missing(ctx context.Context, l *Landing) int {
	res, err := w.chain.Anchors.Anchor(ctx, &anchorstypes.QueryAnchorRequest{Nonce: l.Nonce})
	if err != nil || !l.is(&res.Anchor) {
		return 1
	}
	return 0
}
