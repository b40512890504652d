// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"github.com/gpucoord/gpucoord/x/internal/eventjson"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// emitSubmitted emits EventBatchSubmitted, whose many numbers made it half the work of a batch.
func emitSubmitted(ctx context.Context, b *types.Batch) error {
	e := eventjson.New(800 + 800*len(b.Groups))
	e.Object("batch", func() { writeBatch(e, b) })
	return e.Emit(ctx, &types.EventBatchSubmitted{})
}

func writeBatch(e *eventjson.Event, b *types.Batch) {
	e.Uint64("id", b.Id)
	e.Plain("operator", b.Operator)
	e.Bytes("host_id", b.HostId)
	e.Bytes("host_key", b.HostKey)
	e.Uint64("epoch", b.Epoch)
	e.List("groups", len(b.Groups), func(i int) { writeGroup(e, &b.Groups[i]) })
	e.List("states", len(b.States), func(i int) { writeState(e, &b.States[i]) })
	e.Bytes("root", b.Root)
	e.Uint64("count", b.Count)
	e.Uint64("amount_uusdc", b.AmountUusdc)
	e.Uint64("tokens", b.Tokens)
	e.Text("da_uri", b.DaUri)
	e.Bytes("da_sha256", b.DaSha256)
	e.Uint32("samples", b.Samples)
	e.Uint32("opened", b.Opened)
	e.Plain("status", b.Status.String())
	e.Uint64("submitted_height", b.SubmittedHeight)
	e.Uint64("due_height", b.DueHeight)
	e.Uint32("failures", b.Failures)
	e.Text("reason", b.Reason)
	e.Uint64("log_index", b.LogIndex)
	e.Text("sender", b.Sender)      // as the message spells it
	e.List("opened_leaves", 0, nil) // of a new batch none is opened
	e.Uint32("open_demands", b.OpenDemands)
	e.Bool("extended", b.Extended)
}

func writeGroup(e *eventjson.Event, g *types.Group) {
	e.Bytes("settler", g.Settler)
	e.Bytes("model_id", g.ModelId)
	e.Bytes("adapter_id", g.AdapterId)
	e.Uint64("count", g.Count)
	e.Uint64("amount_uusdc", g.AmountUusdc)
	e.Uint64("tokens", g.Tokens)
	e.Uint32("ok", g.Ok)
	e.Uint32("fail", g.Fail)
	e.Uint64("first_seq", g.FirstSeq)
	e.Uint64("last_seq", g.LastSeq)
	e.Bytes("root", g.Root)
	e.Bytes("left", g.Left)
	e.Bytes("right", g.Right)
}

func writeState(e *eventjson.Event, s *types.GroupState) {
	e.Plain("settler", s.Settler)
	e.Plain("class", s.Class.String())
	e.Bool("pays_operators", s.PaysOperators)
	e.Bool("unfunded", s.Unfunded)
	e.Uint64("locked_uusdc", s.LockedUusdc)
	e.Uint64("take_uusdc", s.TakeUusdc)
	e.Uint64("royalty_uusdc", s.RoyaltyUusdc)
	e.Uint64("operator_uusdc", s.OperatorUusdc)
}

// emitFinalised emits EventBatchFinalised: what settling a batch came to.
func emitFinalised(ctx context.Context, b *types.Batch, p *settlement, o *outcome) error {
	e := eventjson.New(400)
	e.Uint64("batch_id", b.Id)
	e.Plain("operator", b.Operator)
	e.Bytes("host_id", b.HostId)
	e.Uint64("epoch", b.Epoch)
	e.Uint64("count", b.Count)
	e.Uint64("amount_uusdc", b.AmountUusdc)
	e.Uint64("paid_amount_uusdc", p.amount)
	e.Uint64("take_uusdc", p.take.Take)
	e.Uint64("pool_uusdc", p.take.Pool)
	e.Uint64("probers_uusdc", p.take.Probers)
	e.Uint64("aleph_uusdc", p.take.Aleph)
	e.Uint64("insurance_uusdc", p.take.Insurance)
	e.Uint64("royalty_uusdc", p.royalty)
	e.Uint64("operator_uusdc", p.operator)
	e.Uint32s("unfunded", p.unfunded)
	e.Uint64("log_index", o.logIndex)
	e.Bool("credited", o.credited)
	e.Uint64("earnings_uusdc", o.earnings)
	return e.Emit(ctx, &types.EventBatchFinalised{})
}
