// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdkmath "cosmossdk.io/math"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/domain/u128"
	"github.com/gpucoord/gpucoord/x/receipts/types"
)

// claim is a batch on its way in, with all that its checks have read. The checks write nothing.
type claim struct {
	batch    types.Batch
	operator []byte
	hostKey  [20]byte
	hostID   [32]byte
	epoch    types.EpochState
	windows  epoch.Windows
	host     types.HostEpoch
	open     types.OpenClaims
	parties  []party // one per settler, in the groups' order
}

// party is the settler of some groups of a claim, which follow each other: from first up to, not including, end.
type party struct {
	first, end int
	addr       []byte
	mark       types.Watermark // the new one
	settler    types.Settler
	registered bool // as a settler; an operator's own work may lack it
}

// admit checks a batch in this order: host key, sender, submit window, declared loss, jail, number of groups, every group by itself, their
// order, their seqs, prices, tokens, cover, settlers, DA reference. The first check that fails is the error.
func (k *Keeper) admit(ctx context.Context, sender []byte, msg *types.MsgSubmitBatch) (*claim, error) {
	c := &claim{batch: types.Batch{
		HostKey: msg.HostKey, Epoch: msg.Epoch, Groups: msg.Groups, DaUri: msg.DaUri, DaSha256: msg.DaSha256,
		Status: types.BatchStatus_BATCH_STATUS_SUBMITTED, SubmittedHeight: height(ctx),
	}}
	if err := k.admitHost(ctx, sender, c); err != nil {
		return nil, err
	}
	for _, check := range [...]func(context.Context, *claim) error{
		k.admitEpoch, k.admitJail, k.admitGroups, k.admitSeqs, k.admitPrices, k.admitTokens, k.admitCover, k.admitSettlers,
	} {
		if err := check(ctx, c); err != nil {
			return nil, err
		}
	}
	return c, types.ValidateDA(msg.DaUri, msg.DaSha256)
}

// admitHost finds the host by its key and checks that the sender may act for its operator.
// Errors: operators' ErrUnknownHostKey and ErrUnauthorized, ErrInvalidRequest.
func (k *Keeper) admitHost(ctx context.Context, sender []byte, c *claim) error {
	if len(c.batch.HostKey) != types.AddressLength {
		return errorsmod.Wrapf(types.ErrInvalidRequest, "host_key has %d bytes, want %d", len(c.batch.HostKey), types.AddressLength)
	}
	c.hostKey = [20]byte(c.batch.HostKey)
	key, err := k.operators.HostKey(ctx, c.hostKey)
	if err != nil {
		return err
	}
	if c.operator, err = k.parseParty("operator", key.Operator); err != nil {
		return err
	}
	if len(key.HostId) != types.HashLength {
		return errorsmod.Wrapf(types.ErrInvariant, "host id of key %x has %d bytes", c.hostKey, len(key.HostId))
	}
	c.hostID = [32]byte(key.HostId)
	c.batch.Operator, c.batch.HostId = key.Operator, key.HostId
	if c.batch.Sender, err = k.bech32(sender); err != nil {
		return err
	}
	return k.operators.CheckSender(ctx, c.operator, sender)
}

// admitEpoch checks the submit window and that no loss is declared. Errors: ErrSubmitWindow, ErrUnknownEpoch, ErrLossDeclared.
func (k *Keeper) admitEpoch(ctx context.Context, c *claim) error {
	var err error
	if c.windows, err = k.submitWindow(ctx, c.batch.Epoch); err != nil {
		return err
	}
	if !c.windows.Submit.Contains(height(ctx)) {
		return errorsmod.Wrapf(types.ErrSubmitWindow, "epoch %d: blocks %d to %d, this is %d",
			c.batch.Epoch, c.windows.Submit.First, c.windows.Submit.Last, height(ctx))
	}
	if c.epoch, err = k.epochState(ctx, c.batch.Epoch); err != nil {
		return err
	}
	lost, err := k.losses.Has(ctx, collections.Join(c.batch.Epoch, c.hostID[:]))
	if err != nil {
		return err
	}
	if lost {
		return errorsmod.Wrapf(types.ErrLossDeclared, "host %x, epoch %d", c.hostID, c.batch.Epoch)
	}
	return nil
}

// submitWindow returns the windows of an epoch. Error: ErrSubmitWindow for one beyond all heights.
func (k *Keeper) submitWindow(ctx context.Context, e uint64) (epoch.Windows, error) {
	windows, err := k.windows(ctx, e)
	if errors.Is(err, types.ErrUnknownEpoch) {
		return epoch.Windows{}, errorsmod.Wrap(types.ErrSubmitWindow, err.Error())
	}
	return windows, err
}

// admitGroups checks the groups by themselves and their order, and sums them.
// Errors: ErrGroupCount, for each group ErrInvalidRequest and those of Group.Check, ErrGroupOrder.
func (k *Keeper) admitGroups(_ context.Context, c *claim) error {
	b := &c.batch
	if n := len(b.Groups); n == 0 || n > int(c.epoch.Params.MaxGroups) {
		return errorsmod.Wrapf(types.ErrGroupCount, "%d groups, must be 1 to %d", n, c.epoch.Params.MaxGroups)
	}
	groups, err := b.DomainGroups()
	if err != nil {
		return err
	}
	for i := range b.Groups {
		if err := b.Groups[i].Check(); err != nil {
			return errorsmod.Wrapf(err, "group %d", i)
		}
		if err := addTo(&b.Tokens, b.Groups[i].Tokens); err != nil {
			return errorsmod.Wrap(err, "tokens")
		}
	}
	sums, err := sumtree.BatchOf(groups)
	if err != nil {
		return errorsmod.Wrap(types.ErrGroupOrder, err.Error())
	}
	b.Root, b.Count, b.AmountUusdc = sums.Root[:], sums.Count, sums.Amount
	b.Groups = slices.Clone(b.Groups) // the message stays as it was signed
	for i := range b.Groups {
		b.Groups[i].Left, b.Groups[i].Right = nil, nil // checked, and never read again
	}
	return nil
}

// admitSeqs checks every group against the watermark of its settler. The groups of one settler follow each other, and their seqs may
// interleave. Error: ErrWatermark.
func (k *Keeper) admitSeqs(ctx context.Context, c *claim) error {
	for first, end := range c.batch.BySettler() {
		addr := c.batch.Groups[first].Settler
		mark, err := k.watermarks.Get(ctx, collections.Join(c.hostKey[:], addr))
		if err != nil && !errors.Is(err, collections.ErrNotFound) {
			return err
		}
		stored := mark.Seq
		mark.HostKey = c.hostKey[:]
		if mark.Settler, err = k.bech32(addr); err != nil {
			return err
		}
		for i := first; i < end; i++ {
			g := &c.batch.Groups[i]
			if g.FirstSeq <= stored {
				return errorsmod.Wrapf(types.ErrWatermark, "group %d: seq %d, watermark %d", i, g.FirstSeq, stored)
			}
			mark.Seq = max(mark.Seq, g.LastSeq)
		}
		c.parties = append(c.parties, party{first: first, end: end, addr: addr, mark: mark})
	}
	return nil
}

// admitPrices checks that every group's model and adapter may be used, and that its jobs cost what they must, and divides its amount.
// Errors: those of royalties' Pricer, ErrMinJobAmount.
func (k *Keeper) admitPrices(ctx context.Context, c *claim) error {
	params := &c.epoch.Params
	price := k.royalties.Pricer(c.batch.Epoch)
	c.batch.States = make([]types.GroupState, len(c.batch.Groups))
	for i := range c.batch.Groups {
		g := &c.batch.Groups[i]
		pricing, err := price(ctx, [32]byte(g.ModelId), [32]byte(g.AdapterId))
		if err != nil {
			return errorsmod.Wrapf(err, "group %d", i)
		}
		if least := u128.Mul(uint64(g.Ok), params.MinJobAmountUusdc); least.Hi > 0 || g.AmountUusdc < least.Lo {
			return errorsmod.Wrapf(types.ErrMinJobAmount, "group %d: %duusdc for %d jobs, each at least %d", i, g.AmountUusdc, g.Ok, params.MinJobAmountUusdc)
		}
		w, err := pricing.Waterfall(g.AmountUusdc, params.TakeBps)
		if err != nil {
			return errorsmod.Wrapf(err, "group %d", i)
		}
		c.batch.States[i] = types.GroupState{TakeUusdc: w.Take, RoyaltyUusdc: w.Royalty, OperatorUusdc: w.Operator}
	}
	return nil
}

// admitTokens checks the tokens that the host has claimed in the epoch. Error: ErrTokenCeiling.
func (k *Keeper) admitTokens(ctx context.Context, c *claim) error {
	host, err := k.hostEpochs.Get(ctx, collections.Join(c.batch.Epoch, c.hostID[:]))
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	ceiling, err := k.operators.TokenCeiling(ctx, c.hostID)
	if err != nil {
		return err
	}
	tokens, ok := u128.Add(host.Tokens, c.batch.Tokens)
	if !ok || tokens > ceiling {
		return errorsmod.Wrapf(types.ErrTokenCeiling, "%d and %d before, most is %d", c.batch.Tokens, host.Tokens, ceiling)
	}
	c.host = types.HostEpoch{Epoch: c.batch.Epoch, HostId: c.hostID[:], Tokens: tokens}
	return nil
}

// admitCover checks that the operator's cover is bond_claim_multiple times all its open claims, this batch included.
// Errors: ErrOverflow, ErrCover with the missing sum.
func (k *Keeper) admitCover(ctx context.Context, c *claim) error {
	open, err := k.openClaims.Get(ctx, c.operator)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	open.Operator = c.batch.Operator
	open.Batches++
	if err := addTo(&open.AmountUusdc, c.batch.AmountUusdc); err != nil {
		return errorsmod.Wrap(err, "open claims")
	}
	cover, err := k.operators.Cover(ctx, c.operator)
	if err != nil {
		return err
	}
	needed := sdkmath.NewIntFromUint64(open.AmountUusdc).Mul(sdkmath.NewIntFromUint64(c.epoch.Params.BondClaimMultiple))
	if missing := needed.Sub(sdkmath.NewIntFromUint64(cover)); missing.IsPositive() {
		return errorsmod.Wrapf(types.ErrCover, "%suusdc are missing: %d times %d open, cover %d",
			missing, c.epoch.Params.BondClaimMultiple, open.AmountUusdc, cover)
	}
	c.open = open
	return nil
}

// admitSettlers checks that each group is settled by a gateway's settler or by the operator, and notes on what terms. An operator that
// never registered as a settler pays nothing, which makes the group unfunded. Errors: ErrUnknownSettler, ErrWrongSettler.
func (k *Keeper) admitSettlers(ctx context.Context, c *claim) error {
	for n := range c.parties {
		p := &c.parties[n]
		own := bytes.Equal(p.addr, c.operator)
		s, err := k.settler(ctx, p.addr)
		p.registered = err == nil
		switch {
		case own && errors.Is(err, types.ErrUnknownSettler):
			s = types.Settler{Address: c.batch.Operator, Class: types.Class_CLASS_DIRECT}
		case err != nil:
			return errorsmod.Wrapf(err, "group %d", p.first)
		case own != (s.Class == types.Class_CLASS_DIRECT):
			return errorsmod.Wrapf(types.ErrWrongSettler, "group %d: %s is %s", p.first, s.Address, s.Class)
		case !own && s.Keys == 0: // anybody can name a gateway; a key shows that the gateway knows of it
			return errorsmod.Wrapf(types.ErrWrongSettler, "group %d: %s never got a key of its gateway", p.first, s.Address)
		}
		p.settler = s
		for i := p.first; i < p.end; i++ {
			state := &c.batch.States[i]
			state.Settler, state.Class, state.PaysOperators = s.Address, s.Class, s.PaysOperators
		}
	}
	return nil
}
