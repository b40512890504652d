// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/gpucoord/gpucoord/app/apptest"
	receiptskeeper "github.com/gpucoord/gpucoord/x/receipts/keeper"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

var (
	errNotSettled = errors.New("a batch was not settled in the measured block")
	errNoSeed     = errors.New("the beacon of the epoch has not been drawn")
)

// settled is how many batches the measured block settles: all but one, so that the epoch stays open and x/rewards does nothing yet.
const settled = senders - 1

// settleLimit is what settling a batch may cost.
const settleLimit = 250 * time.Microsecond

// benchSettle measures the block that settles one batch of 8 groups for each sender but the last.
func benchSettle(opts options) (table, error) {
	result := table{title: "settling a batch of 8 groups, per batch"}
	var settling []cost
	for range min(opts.rounds, 5) {
		spent, err := settleOnce()
		if err != nil {
			return table{}, err
		}
		settling = append(settling, spent)
	}
	middle := median(settling)
	result.add("settle", middle.String())
	result.judge("settle / limit", middle.cpu, settleLimit, 1_000)
	return result, nil
}

// settleOnce submits and opens one batch for each sender, and returns what the block that settles them adds to an empty one.
func settleOnce() (cost, error) {
	s, err := newSeat(seatOptions{operators: senders, gateways: 4, adapters: 2, finalise: settled})
	if err != nil {
		return cost{}, err
	}
	claims, err := s.serve(1)
	if err != nil {
		return cost{}, err
	}
	txs, err := s.claimTxs(claims[0])
	if err != nil {
		return cost{}, err
	}
	if _, err := block("batch", s.Chain, txs...); err != nil {
		return cost{}, err
	}
	from, err := s.open(claims[0])
	if err != nil {
		return cost{}, err
	}
	if err := s.Until(from - 2); err != nil {
		return cost{}, err
	}
	empty, err := block("empty", s.Chain)
	if err != nil {
		return cost{}, err
	}
	settling, err := block("settle", s.Chain)
	if err != nil {
		return cost{}, err
	}
	return settling.minus(empty).over(settled), s.checkSettled()
}

// open opens all samples of the claims, the only batches so far, and returns the height at which they are settled.
func (s *seat) open(claims []*apptest.Claim) (settledAt uint64, err error) {
	schedule, err := s.App.Operators.Schedule(s.Context())
	if err != nil {
		return 0, err
	}
	windows, err := schedule.Windows(claims[0].Msg.Epoch)
	if err != nil {
		return 0, err
	}
	openings, err := s.openings(claims)
	if err != nil {
		return 0, err
	}
	txs := make([][]byte, len(openings))
	for i, msg := range openings {
		if txs[i], err = s.Sign(claims[i].Host.Operator, msg); err != nil {
			return 0, err
		}
	}
	_, err = block("open", s.Chain, txs...)
	return windows.FinaliseFrom, err
}

func (s *seat) batch(id uint64) (*receiptstypes.QueryBatchResponse, error) {
	return receiptskeeper.NewQueryServer(s.App.Receipts).Batch(s.Context(), &receiptstypes.QueryBatchRequest{BatchId: id})
}

func (s *seat) checkSettled() error {
	for id := range uint64(settled) {
		batch, err := s.batch(id + 1)
		if err != nil {
			return err
		}
		if batch.Batch.Status != receiptstypes.BatchStatus_BATCH_STATUS_FINALISED {
			return fmt.Errorf("%w: batch %d is %s", errNotSettled, id+1, batch.Batch.Status)
		}
	}
	return nil
}
