// SPDX-License-Identifier: Apache-2.0

package apptest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// maxTxBytes is the room that a proposer has, as CometBFT would say it for blocks of 4 MiB.
const maxTxBytes = 4<<20 - 4096

// Faults of a net's nodes.
var (
	ErrHashes   = errors.New("nodes of one chain have different app hashes or results")
	ErrRejected = errors.New("a node refused a proposal")
	ErrVote     = errors.New("a node refused an honest vote extension")
)

// Cast is what a validator does with its vote.
type Cast struct {
	// Extension is what it adds to its vote.
	Extension []byte
	// Absent says that it does not vote at all.
	Absent bool
	// Late says that the vote comes after the block: the next proposer has it, and nobody has verified it.
	Late bool
}

// Net drives nodes through whole heights as CometBFT does: PrepareProposal, ProcessProposal, ExtendVote, VerifyVoteExtension,
// FinalizeBlock and Commit, with a set of validators that follows the updates of the blocks two heights later.
type Net struct {
	*Chain
	// Nodes all run the same chain; the first is Chain.App, the proposer.
	Nodes []*app.App
	// Validators are those of the genesis.
	Validators []*Validator
	// Vote changes what a validator does at the next heights; nil means that all are honest.
	Vote func(v *Validator, honest []byte) Cast
	// Proposal changes what is proposed at the next heights; nil means nothing.
	Proposal func(txs [][]byte) [][]byte
	// Around runs the parts of a height that make up its block: proposing and checking, then running it. Nil means just to run them.
	Around func(part func() error) error

	sets    map[int64]map[string]int64 // by height, then consensus address
	last    abci.ExtendedCommitInfo
	signers map[string]*Validator // by consensus address
}

// NewNet starts a chain of as many nodes on one genesis. It has run no block yet.
func NewNet(opts Options, nodes int) (*Net, error) {
	chain, genesis, err := build(opts)
	if err != nil {
		return nil, err
	}
	n := &Net{
		Chain: chain, Nodes: []*app.App{chain.App}, Validators: chain.validators,
		sets: make(map[int64]map[string]int64), signers: make(map[string]*Validator),
	}
	for _, v := range n.Validators {
		n.signers[string(v.address)] = v
	}
	for len(n.Nodes) < nodes {
		node, err := newApp(dbm.NewMemDB(), nil)
		if err != nil {
			return nil, err
		}
		n.Nodes = append(n.Nodes, node)
	}
	return n, n.start(genesis)
}

func (n *Net) start(genesis json.RawMessage) error {
	first := make(map[string]int64)
	for _, v := range n.Validators {
		first[string(v.address)] = v.Power
	}
	n.sets[1], n.sets[2] = first, first
	for _, node := range n.Nodes {
		chain := *n.Chain
		chain.App = node
		if err := chain.initialise(genesis, 1); err != nil {
			return err
		}
	}
	for _, account := range n.funded() {
		account.sequence = 0
	}
	for _, v := range n.Validators {
		v.sequence = 1 // the genesis transaction
	}
	return nil
}

// Step runs one height with txs and returns what the block gave.
func (n *Net) Step(txs ...[]byte) (*abci.ResponseFinalizeBlock, error) {
	height := n.height + 1
	var proposal [][]byte
	err := n.around(func() (err error) {
		proposal, err = n.agree(txs)
		return err
	})
	if err != nil {
		return nil, err
	}
	votes, err := n.votes()
	if err != nil {
		return nil, err
	}
	var response *abci.ResponseFinalizeBlock
	err = n.around(func() (err error) {
		response, err = n.finalize(proposal)
		return err
	})
	if err != nil {
		return nil, err
	}
	n.height, n.last = height, votes
	n.follow(response.ValidatorUpdates)
	return response, n.readSequences()
}

func (n *Net) around(part func() error) error {
	if n.Around == nil {
		return part()
	}
	return n.Around(part)
}

// agree proposes a block and has every node check it.
func (n *Net) agree(txs [][]byte) ([][]byte, error) {
	proposal, err := n.Propose(txs...)
	if err != nil {
		return nil, err
	}
	if n.Proposal != nil {
		proposal = n.Proposal(proposal)
	}
	for _, node := range n.Nodes {
		status, err := n.process(node, proposal)
		if err != nil {
			return nil, err
		}
		if status != abci.ResponseProcessProposal_ACCEPT {
			return nil, fmt.Errorf("%w at height %d", ErrRejected, n.height+1)
		}
	}
	return proposal, nil
}

// Propose returns what the proposer of the next height puts into its block.
func (n *Net) Propose(txs ...[]byte) ([][]byte, error) {
	height := n.height + 1
	hash := BlockHash(uint64(height))
	response, err := n.App.PrepareProposal(&abci.RequestPrepareProposal{
		MaxTxBytes: maxTxBytes, Txs: txs, LocalLastCommit: n.last, Height: height, Time: timeOf(height),
		ProposerAddress: n.Validators[0].address, NextValidatorsHash: hash[:],
	})
	if err != nil {
		return nil, err
	}
	return response.Txs, nil
}

// Accepts reports whether the first node accepts a proposal for the next height.
func (n *Net) Accepts(txs [][]byte) (bool, error) {
	status, err := n.process(n.App, txs)
	return status == abci.ResponseProcessProposal_ACCEPT, err
}

func (n *Net) process(node *app.App, txs [][]byte) (abci.ResponseProcessProposal_ProposalStatus, error) {
	height := n.height + 1
	hash := BlockHash(uint64(height))
	response, err := node.ProcessProposal(&abci.RequestProcessProposal{
		Txs: txs, ProposedLastCommit: n.decided(), Hash: hash[:], Height: height, Time: timeOf(height), ProposerAddress: n.Validators[0].address,
	})
	if err != nil {
		return 0, err
	}
	return response.Status, nil
}

// votes are those of the next height, with the extensions of those that have an anchor key.
func (n *Net) votes() (abci.ExtendedCommitInfo, error) {
	height := n.height + 1
	hash := BlockHash(uint64(height))
	var commit abci.ExtendedCommitInfo
	for _, member := range n.sorted(height) {
		vote := abci.ExtendedVoteInfo{Validator: member, BlockIdFlag: cmtproto.BlockIDFlagCommit, ExtensionSignature: []byte{1}}
		if v := n.signers[string(member.Address)]; v != nil {
			cast, err := n.cast(v)
			if err != nil {
				return commit, err
			}
			if cast.Absent {
				vote = abci.ExtendedVoteInfo{Validator: member, BlockIdFlag: cmtproto.BlockIDFlagAbsent}
			}
			vote.VoteExtension = cast.Extension
			if !cast.Late && !cast.Absent {
				for _, node := range n.Nodes {
					response, err := node.VerifyVoteExtension(&abci.RequestVerifyVoteExtension{
						Hash: hash[:], ValidatorAddress: member.Address, Height: height, VoteExtension: cast.Extension,
					})
					if err != nil {
						return commit, err
					}
					if response.Status != abci.ResponseVerifyVoteExtension_ACCEPT {
						return commit, fmt.Errorf("%w: %s at height %d", ErrVote, v.Name, height)
					}
				}
			}
		}
		commit.Votes = append(commit.Votes, vote)
	}
	return commit, nil
}

func (n *Net) cast(v *Validator) (Cast, error) {
	honest, err := n.Honest(v)
	if err != nil || n.Vote == nil {
		return Cast{Extension: honest}, err
	}
	return n.Vote(v, honest), nil
}

// Honest is the extension of an honest validator at the next height: its signature of the open anchor, if that is not on chain yet.
func (n *Net) Honest(v *Validator) ([]byte, error) {
	if n.height == 0 {
		return nil, nil // the first state is not committed yet, and has no anchor
	}
	ctx := n.Context()
	ballot, err := n.App.Anchors.Ballot(ctx)
	if err != nil || ballot == nil {
		return nil, err
	}
	member := ballot.Signers.Index(receipt.KeyAddress(v.AnchorKey))
	if member < 0 {
		return nil, nil
	}
	if done, err := n.App.Anchors.HasSigned(ctx, member); err != nil || done {
		return nil, err
	}
	signature := receipt.Sign(v.AnchorKey, ballot.Digest)
	return signature[:], nil
}

func (n *Net) finalize(txs [][]byte) (*abci.ResponseFinalizeBlock, error) {
	height := n.height + 1
	hash := BlockHash(uint64(height))
	var first *abci.ResponseFinalizeBlock
	for _, node := range n.Nodes {
		response, err := node.FinalizeBlock(&abci.RequestFinalizeBlock{
			Txs: txs, Height: height, Time: timeOf(height), Hash: hash[:], ProposerAddress: n.Validators[0].address,
			DecidedLastCommit: n.decided(),
		})
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", height, err)
		}
		if _, err := node.Commit(); err != nil {
			return nil, fmt.Errorf("commit block %d: %w", height, err)
		}
		if first == nil {
			first = response
		}
		// The next header has both hashes.
		results, own := cmttypes.NewResults(first.TxResults).Hash(), cmttypes.NewResults(response.TxResults).Hash()
		if !bytes.Equal(first.AppHash, response.AppHash) || !bytes.Equal(results, own) {
			return nil, fmt.Errorf("%w: height %d", ErrHashes, height)
		}
	}
	return first, nil
}

// decided is the last commit without extensions.
func (n *Net) decided() abci.CommitInfo {
	info := abci.CommitInfo{Round: n.last.Round}
	for i := range n.last.Votes {
		info.Votes = append(info.Votes, abci.VoteInfo{Validator: n.last.Votes[i].Validator, BlockIdFlag: n.last.Votes[i].BlockIdFlag})
	}
	return info
}

// follow applies the updates of the block that was just run, two heights later.
func (n *Net) follow(updates []abci.ValidatorUpdate) {
	next := make(map[string]int64)
	for address, power := range n.sets[n.height+1] {
		next[address] = power
	}
	for i := range updates {
		sum := sha256.Sum256(updates[i].PubKey.GetEd25519())
		if address := string(sum[:20]); updates[i].Power == 0 {
			delete(next, address)
		} else {
			next[address] = updates[i].Power
		}
	}
	n.sets[n.height+2] = next
}

// sorted is the set of a height in CometBFT's order.
func (n *Net) sorted(height int64) []abci.Validator {
	var members []abci.Validator
	for address, power := range n.sets[height] {
		members = append(members, abci.Validator{Address: []byte(address), Power: power})
	}
	slices.SortFunc(members, func(a, b abci.Validator) int {
		return cmp.Or(cmp.Compare(b.Power, a.Power), bytes.Compare(a.Address, b.Address))
	})
	return members
}

// Power is a validator's power in the consensus of the next height.
func (n *Net) Power(v *Validator) int64 { return n.sets[n.height+1][string(v.address)] }
