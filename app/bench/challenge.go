// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// challengeLimit is what judging a challenge may cost beside the signatures of its evidence, its whole transaction included.
const challengeLimit = time.Millisecond

var errStands = errors.New("a report of a wrong challenge is still there")

// benchChallenge measures blocks in which each operator challenges its neighbour's batch of 8 groups with junk: evidence that is
// checked to its end and shows nothing.
func benchChallenge(opts options) (table, error) {
	result := table{title: "a challenge that shows nothing, per transaction"}
	var order, record []cost
	for range min(opts.rounds, 3) {
		s, err := newSeat(seatOptions{operators: senders, gateways: 4, adapters: 2, finalise: settled})
		if err != nil {
			return table{}, err
		}
		openings, err := s.shownSamples()
		if err != nil {
			return table{}, err
		}
		for _, kind := range []struct {
			kind   receiptstypes.ChallengeKind
			spent  *[]cost
			encode func(fraud.Placed, []byte) []byte
		}{
			{receiptstypes.ChallengeKind_CHALLENGE_KIND_ORDER, &order, func(p fraud.Placed, _ []byte) []byte {
				e := fraud.Order{A: p, B: &p}
				return e.Append(nil)
			}},
			{receiptstypes.ChallengeKind_CHALLENGE_KIND_RECORD, &record, func(p fraud.Placed, sr1 []byte) []byte {
				e := fraud.Record{Placed: p, SR1: sr1}
				return e.Append(nil)
			}},
		} {
			spent, err := s.challengeAll(kind.kind, openings, kind.encode)
			if err != nil {
				return table{}, err
			}
			*kind.spent = append(*kind.spent, spent)
		}
	}
	result.add("two openings (F4)", median(order).String())
	result.add("a record and its three signatures (F2)", median(record).String())
	result.judge("F4 / limit", median(order).cpu, challengeLimit, 1_000)
	return result, nil
}

// shownSamples submits one batch for each operator and returns the openings that the beacon asks for.
func (s *seat) shownSamples() ([]*receiptstypes.MsgOpenSamples, error) {
	claims, err := s.serve(1)
	if err != nil {
		return nil, err
	}
	txs, err := s.claimTxs(claims[0])
	if err != nil {
		return nil, err
	}
	if _, err := block("batch", s.Chain, txs...); err != nil {
		return nil, err
	}
	return s.openings(claims[0])
}

// openings waits for the beacon and opens the samples of each claim, without sending them.
func (s *seat) openings(claims []*apptest.Claim) ([]*receiptstypes.MsgOpenSamples, error) {
	schedule, err := s.App.Operators.Schedule(s.Context())
	if err != nil {
		return nil, err
	}
	windows, err := schedule.Windows(claims[0].Msg.Epoch)
	if err != nil {
		return nil, err
	}
	if err := s.Until(windows.Open.First - 1); err != nil {
		return nil, err
	}
	list := make([]*receiptstypes.MsgOpenSamples, len(claims))
	for i, claim := range claims {
		batch, err := s.batch(uint64(i) + 1)
		if err != nil {
			return nil, err
		}
		if len(batch.Seed) != sha256.Size {
			return nil, errNoSeed
		}
		if list[i], err = claim.Open([32]byte(batch.Seed), batch.Batch.Id, batch.Batch.Samples); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// challengeAll commits a report for each operator about its neighbour's batch, and returns what a challenge adds to an empty block.
func (s *seat) challengeAll(
	kind receiptstypes.ChallengeKind, openings []*receiptstypes.MsgOpenSamples, encode func(fraud.Placed, []byte) []byte,
) (cost, error) {
	domain, err := s.App.Operators.ReceiptDomain(s.Context())
	if err != nil {
		return cost{}, err
	}
	salt := make([]byte, sha256.Size)
	commits, challenges := make([][]byte, len(openings)), make([]*receiptstypes.MsgChallenge, len(openings))
	for i := range openings {
		about := openings[(i+1)%len(openings)]
		opening, err := sumtree.DecodeOpening(about.Samples[0].Opening)
		if err != nil {
			return cost{}, err
		}
		evidence := encode(fraud.Placed{BatchID: about.BatchId, Group: about.Samples[0].Group, Opening: opening}, about.Samples[0].Record)
		reporter := s.Hosts[i].Operator
		commitment := operatorstypes.ReportCommitment(domain.Salt(), [20]byte(reporter.Address), [32]byte(salt), sha256.Sum256(evidence))
		commit := &operatorstypes.MsgCommitReport{Reporter: reporter.String(), Commitment: commitment[:]}
		if commits[i], err = s.Sign(reporter, commit); err != nil {
			return cost{}, err
		}
		challenges[i] = &receiptstypes.MsgChallenge{Reporter: reporter.String(), Salt: salt, Kind: kind, Evidence: evidence}
	}
	if _, err := block("commit", s.Chain, commits...); err != nil {
		return cost{}, err
	}
	return s.showAll(challenges)
}

// showAll sends the challenges in one block, with the ids that their reports got.
func (s *seat) showAll(challenges []*receiptstypes.MsgChallenge) (cost, error) {
	genesis, err := s.App.Operators.ExportGenesis(s.Context())
	if err != nil {
		return cost{}, err
	}
	ids := make(map[string]uint64, len(genesis.Reports))
	for i := range genesis.Reports {
		ids[genesis.Reports[i].Reporter] = genesis.Reports[i].Id
	}
	txs := make([][]byte, len(challenges))
	for i, msg := range challenges {
		msg.ReportId = ids[msg.Reporter]
		if txs[i], err = s.Sign(s.Hosts[i].Operator, msg); err != nil {
			return cost{}, err
		}
	}
	empty, err := block("empty", s.Chain)
	if err != nil {
		return cost{}, err
	}
	spent, err := block("challenge", s.Chain, txs...)
	if err != nil {
		return cost{}, err
	}
	if genesis, err = s.App.Operators.ExportGenesis(s.Context()); err == nil && len(genesis.Reports) > 0 {
		err = errStands
	}
	return spent.minus(empty).over(len(txs)), err
}
