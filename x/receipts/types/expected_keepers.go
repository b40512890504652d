// SPDX-License-Identifier: Apache-2.0

package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// BankKeeper moves settlement money.
type BankKeeper interface {
	// SendCoinsFromAccountToModule moves coins of an account to a module account.
	SendCoinsFromAccountToModule(ctx context.Context, sender sdk.AccAddress, recipientModule string, amt sdk.Coins) error
	// SendCoinsFromModuleToAccount moves coins of a module account to an account.
	SendCoinsFromModuleToAccount(ctx context.Context, senderModule string, recipient sdk.AccAddress, amt sdk.Coins) error
	// SendCoinsFromModuleToModule moves coins between module accounts.
	SendCoinsFromModuleToModule(ctx context.Context, senderModule, recipientModule string, amt sdk.Coins) error
	// GetBalance returns what an account holds of a denom.
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
}

// EpochClock knows the grid of epochs, their start times and the hashes of recent blocks.
type EpochClock interface {
	// Schedule returns the grid.
	Schedule(ctx context.Context) (epoch.Schedule, error)
	// EpochStartTime returns the time of an epoch's first block, in Unix seconds.
	EpochStartTime(ctx context.Context, e uint64) (unix uint64, found bool, err error)
	// BlockHash returns the header hash of a recent block, the present one included. Error: operators' ErrNoBlockHash.
	BlockHash(ctx context.Context, height uint64) ([32]byte, error)
	// ReceiptDomain returns the domain that receipts of this chain are signed in.
	ReceiptDomain(ctx context.Context) (receipt.Domain, error)
}

// HostRegistry knows operators, their hosts and keys, and who may act for them.
type HostRegistry interface {
	// HostKey returns a receipt key by its address.
	HostKey(ctx context.Context, key [20]byte) (operatorstypes.HostKey, error)
	// Host returns a host by its id.
	Host(ctx context.Context, id [32]byte) (operatorstypes.Host, error)
	// Operator returns an operator. Error: operators' ErrUnknownOperator.
	Operator(ctx context.Context, addr []byte) (operatorstypes.Operator, error)
	// CheckSender fails unless sender is the operator or one of its relayers.
	CheckSender(ctx context.Context, operator, sender []byte) error
	// TokenCeiling returns the most tokens a host may claim in an epoch.
	TokenCeiling(ctx context.Context, hostID [32]byte) (uint64, error)
}

// Bonds knows what operators have at stake.
type Bonds interface {
	// Cover returns what an operator's bond is worth, in uusdc.
	Cover(ctx context.Context, operator []byte) (uint64, error)
	// Reputation returns an operator's reputation at the epoch of its last change.
	Reputation(ctx context.Context, operator []byte) (ppm, epoch uint64, err error)
}

// Reports are the bonds that reporters put up.
type Reports interface {
	// RevealReport opens a report that the reporter committed to in an earlier block, and returns its bond, in ultai. The bond is held
	// until the report is returned or forfeited.
	RevealReport(ctx context.Context, id uint64, reporter []byte, salt, evidenceHash [32]byte) (bondUltai uint64, err error)
	// OpenReport takes a reporter's bond for what needs no secret, and holds it like that of a revealed report.
	OpenReport(ctx context.Context, reporter []byte) (id, bondUltai uint64, err error)
	// ReturnReport gives a held bond back.
	ReturnReport(ctx context.Context, id uint64) error
	// ForfeitReport gives a held bond to another account.
	ForfeitReport(ctx context.Context, id uint64, to []byte) error
}

// Offences punishes what is proven against operators.
type Offences interface {
	// Punish slashes, jails and divides as the offence's row of x/operators says. Error: its ErrEvidenceUsed.
	Punish(ctx context.Context, o operatorstypes.Offence) (operatorstypes.Punishment, error)
	// Fine takes what uusdc are worth of an operator's bond, rounded up and at most all of it, for insurance.
	Fine(ctx context.Context, operator []byte, kind string, uusdc uint64, evidence string) (ultai uint64, err error)
	// CheckEvidenceAge fails where what happened at a height can cost nobody's bond any more. Error: operators' ErrEvidenceTooOld.
	CheckEvidenceAge(ctx context.Context, at uint64) error
	// Strike counts an offence of a kind that the module judges itself, and returns how many the last escalation_blocks have.
	Strike(ctx context.Context, operator []byte, kind string) (nth uint32, err error)
	// Params returns x/operators' parameters, for the price of bonds.
	Params(ctx context.Context) (operatorstypes.Params, error)
}

// Attestations are what hosts' records name.
type Attestations interface {
	// AttestationAt says whether an attestation held for a record served at a time, in Unix seconds.
	AttestationAt(ctx context.Context, ref [32]byte, servedAt uint64) (operatorstypes.AttestationStatus, error)
	// DemoteAttestation ends the claims that an attestation raises.
	DemoteAttestation(ctx context.Context, ref [32]byte) error
}

// OperatorsKeeper is all that the module asks of x/operators.
type OperatorsKeeper interface {
	EpochClock
	HostRegistry
	Bonds
	Reports
	Offences
	Attestations
}

// RoyaltiesKeeper prices models and adapters and keeps what authors earn.
type RoyaltiesKeeper interface {
	// Pricer returns what prices the work of an epoch, for one message or one settlement.
	Pricer(epoch uint64) royaltiestypes.Pricer
	// Accrue credits the royalties of a settled batch's groups, whose coins the royalties account has got already.
	Accrue(ctx context.Context, batchID uint64, dues []royaltiestypes.GroupDue) error
}

// LogKeeper appends to the anchored log.
type LogKeeper interface {
	// Append appends a leaf and returns its index.
	Append(ctx context.Context, data []byte) (index uint64, err error)
}
