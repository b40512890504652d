// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/hex"
	"fmt"

	"golang.org/x/sync/errgroup"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/relayer/chain"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// register puts everybody on the chain: operators with hosts, gateways with escrow, a sponsor, and the commits of all models.
// It returns the height at which the last commit was in a block.
func (w *World) register(ctx context.Context) (uint64, error) {
	g, ctx := errgroup.WithContext(ctx)
	for i, o := range operators {
		g.Go(func() error {
			msgs, err := w.operatorMessages(i)
			if err != nil {
				return err
			}
			_, err = w.send(ctx, o.name, msgs...)
			return err
		})
	}
	for _, spec := range gateways {
		g.Go(func() error {
			msgs, err := w.gatewayMessages(spec)
			if err != nil {
				return err
			}
			_, err = w.send(ctx, spec.name, msgs...)
			return err
		})
	}
	g.Go(func() error {
		_, err := w.send(ctx, sponsor, &rewardstypes.MsgSponsor{Sponsor: w.state.Accounts[sponsor].Address, AmountUusdc: sponsorship})
		return err
	})
	heights := make([]uint64, len(authors))
	for i, name := range authors {
		g.Go(func() error {
			var msgs []sdk.Msg
			for _, a := range w.assets() {
				if a.owner == name {
					msgs = append(msgs, w.commitMessage(a))
				}
			}
			result, err := w.send(ctx, name, msgs...)
			heights[i] = result.Height
			return err
		})
	}
	err := g.Wait()
	var last uint64
	for _, h := range heights {
		last = max(last, h)
	}
	return last, err
}

// publish reveals the models, level by level, since an adapter needs its base and its parents, and proves authorship
// where the world says so.
func (w *World) publish(ctx context.Context, committed uint64) error {
	if err := w.waitState(ctx, committed+royaltiestypes.MinRevealBlocks); err != nil {
		return err
	}
	all := w.assets()
	top := 0
	for _, a := range all {
		top = max(top, a.level)
	}
	for level := 0; level <= top; level++ {
		g, levelCtx := errgroup.WithContext(ctx)
		for _, name := range authors {
			var msgs []sdk.Msg
			for _, a := range all {
				if a.level == level && a.owner == name {
					msgs = append(msgs, &a.register)
				}
			}
			for _, b := range bases {
				if level == 0 && b.proof && b.author == name {
					msgs = append(msgs, w.proofMessage(b))
				}
			}
			if len(msgs) == 0 {
				continue
			}
			g.Go(func() error {
				_, err := w.send(levelCtx, name, msgs...)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return w.decideProofs(ctx)
}

// decideProofs lets the arbiter accept the author proofs when their objection window has passed.
func (w *World) decideProofs(ctx context.Context) error {
	params, err := w.chain.Royalties.Params(ctx, &royaltiestypes.QueryParamsRequest{})
	if err != nil {
		return fmt.Errorf("read the royalties' parameters: %w", err)
	}
	for _, b := range bases {
		if !b.proof {
			continue
		}
		id := assetID(b.name)
		res, err := w.chain.Royalties.Asset(ctx, &royaltiestypes.QueryAssetRequest{AssetId: hex.EncodeToString(id[:])})
		if err != nil {
			return fmt.Errorf("read %s: %w", b.name, err)
		}
		if res.AuthorProof == nil {
			return fmt.Errorf("%w: %s has no author proof to decide", ErrTx, b.name)
		}
		if err := w.waitState(ctx, res.AuthorProof.ProposedHeight+params.Params.ObjectionBlocks); err != nil {
			return err
		}
		decision := &royaltiestypes.MsgDecideAuthorProof{Arbiter: w.state.Accounts[arbiter].Address, AssetId: id[:], Accept: true}
		if _, err := w.send(ctx, arbiter, decision); err != nil {
			return err
		}
	}
	return nil
}

// accredit lets governance accredit the gateways that the world says are, and returns when it has.
func (w *World) accredit(ctx context.Context) error {
	proposal := uint64(0)
	for _, g := range gateways {
		if !g.accredited {
			continue
		}
		propose, err := w.accreditMessage(g)
		if err != nil {
			return err
		}
		if _, err := w.send(ctx, validator, propose); err != nil {
			return err
		}
		proposal++
		if _, err := w.send(ctx, validator, w.voteMessage(proposal)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, txTimeout, fmt.Errorf("%w: governance accredits no gateway", ErrTx))
	defer cancel()
	return w.poll(ctx, func() (bool, error) {
		for _, g := range gateways {
			res, err := w.chain.Receipts.Gateway(ctx, &receiptstypes.QueryGatewayRequest{Address: w.state.Accounts[g.name].Address})
			if err != nil {
				return false, err
			}
			if res.Gateway.Accredited != g.accredited {
				return false, nil
			}
		}
		return true, nil
	})
}

// adoptValidator takes over the account that the node's set-up made for its validator.
func (w *World) adoptValidator(a account) error {
	raw, err := deriveKey(a.Mnemonic)
	if err != nil {
		return err
	}
	if err := chain.WriteKeyFile(w.home.keyFile(validator), raw); err != nil {
		return err
	}
	a.hot = chain.NewAccount(raw)
	if a.hot.Bech32() != a.Address {
		return fmt.Errorf("%w: the validator's mnemonic gives %s, not %s", ErrTx, a.hot.Bech32(), a.Address)
	}
	w.state.Accounts[validator] = &a
	return w.home.write(w.state)
}
