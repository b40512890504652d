// SPDX-License-Identifier: Apache-2.0

package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// BankKeeper moves the module's money.
type BankKeeper interface {
	SendCoinsFromModuleToModule(ctx context.Context, senderModule, recipientModule string, amount sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, senderModule string, recipient sdk.AccAddress, amount sdk.Coins) error
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, recipientModule string, amount sdk.Coins) error
	GetBalance(ctx context.Context, account sdk.AccAddress, denom string) sdk.Coin
}

// ReceiptsKeeper is the usage ledger of finalised work. What it says of an epoch is frozen when the epoch is closed.
type ReceiptsKeeper interface {
	// Params returns the parameters in force, for the parts of the take.
	Params(ctx context.Context) (receiptstypes.Params, error)
	// EpochReady reports whether epoch e can be closed: no batch of it is open, or its deadline has passed.
	EpochReady(ctx context.Context, e uint64) (bool, error)
	// CloseEpoch freezes epoch e and returns its sums and pinned parameters.
	CloseEpoch(ctx context.Context, e uint64) (receiptstypes.EpochState, error)
	// OperatorsWithUsage returns the operators with entries in epoch e, ascending, strictly after one of them, at most limit.
	OperatorsWithUsage(ctx context.Context, e uint64, after []byte, limit uint32) ([][]byte, error)
	// UsageEntries returns an operator's entries in epoch e, one for each settler and class, ascending.
	UsageEntries(ctx context.Context, e uint64, operator []byte) ([]receiptstypes.UsageEntry, error)
	// SuccessCounts returns how many of an operator's jobs for a settler and class succeeded and failed in the epochs from
	// to to, both included.
	SuccessCounts(
		ctx context.Context, operator, settler []byte, class receiptstypes.Class, from, to uint64,
	) (ok, fail uint64, err error)
}

// PoolsKeeper is offered by a ReceiptsKeeper that can add up what it has paid into epoch pools. Only invariants ask.
type PoolsKeeper interface {
	// PoolsFrom returns the sum of the epoch pools of epoch e and all later ones, in uusdc.
	PoolsFrom(ctx context.Context, e uint64) (uint64, error)
}

// OperatorsKeeper knows the operators and the epoch grid.
type OperatorsKeeper interface {
	// Params returns the parameters in force, for the length of an epoch.
	Params(ctx context.Context) (operatorstypes.Params, error)
	// CurrentEpoch returns the epoch of the present block.
	CurrentEpoch(ctx context.Context) (uint64, error)
	// Operator returns an operator with its controller and reputation.
	Operator(ctx context.Context, operator []byte) (operatorstypes.Operator, error)
	// Capacity returns what an operator's hosts have committed and proved.
	Capacity(ctx context.Context, operator []byte) (operatorstypes.Capacity, error)
	// Availability returns what panels of probers say of an operator for an epoch. It is frozen before the epoch's first settlement.
	Availability(ctx context.Context, operator []byte, epoch uint64) (operatorstypes.Availability, error)
	// SetReputation stores an operator's reputation and the epoch of the change.
	SetReputation(ctx context.Context, operator []byte, ppm, epoch uint64) error
}

// AnchorsKeeper is the log of facts.
type AnchorsKeeper interface {
	// Append adds a leaf and returns its index.
	Append(ctx context.Context, data []byte) (index uint64, err error)
}
