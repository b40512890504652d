// SPDX-License-Identifier: Apache-2.0

package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// tombstone ends an operator for good: its account and its controller may stand behind no operator any more, and its hosts' present keys
// end now (older ones have; none can ever be registered again). Its nodes stay linked to it, so that nobody else can link them, and it
// keeps no attestation in force. The caller stores op.
func (k *Keeper) tombstone(ctx context.Context, operator []byte, op *types.Operator) error {
	op.Status = types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED
	op.Jail(height(ctx), types.JailedForGood)
	if err := k.bar(ctx, op); err != nil {
		return err
	}
	var hosts [][]byte
	err := k.hosts.Indexes.operator.Walk(ctx, collections.NewPrefixedPairRange[[]byte, []byte](operator), func(_, id []byte) (bool, error) {
		hosts = append(hosts, id)
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, id := range hosts {
		if err := k.endHost(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// endHost ends a host's present key now, unless it has ended, and demotes its claims.
func (k *Keeper) endHost(ctx context.Context, id []byte) error {
	host, err := k.hosts.Get(ctx, id)
	if err != nil {
		return err
	}
	key, err := k.hostKeys.Get(ctx, host.ReceiptKey)
	if err != nil {
		return err
	}
	if now := blockTime(ctx); key.ExpiresAt == 0 || key.ExpiresAt > now {
		key.ExpiresAt = now
		if err := k.hostKeys.Set(ctx, key.Address, key); err != nil {
			return err
		}
	}
	refs, err := k.attestationsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := k.demote(ctx, ref, types.AttestationState_ATTESTATION_STATE_EXPIRED, "forged"); err != nil {
			return err
		}
	}
	return nil
}

// bar bars a tombstoned operator's account and controller.
func (k *Keeper) bar(ctx context.Context, op *types.Operator) error {
	for _, text := range []string{op.Address, op.Controller} {
		account, err := k.parseAddress("barred", text)
		if err != nil {
			return err
		}
		if err := k.barred.Set(ctx, account); err != nil {
			return err
		}
	}
	return nil
}

// checkBarred checks that no account belongs to a tombstoned operator. Errors: ErrBarred.
func (k *Keeper) checkBarred(ctx context.Context, accounts ...[]byte) error {
	for _, account := range accounts {
		barred, err := k.barred.Has(ctx, account)
		if err != nil {
			return err
		}
		if barred {
			return errorsmod.Wrapf(types.ErrBarred, "%x", account)
		}
	}
	return nil
}
