// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

// What a challenge can prove. The texts are in events and in the reason of a void batch.
const (
	// FaultDoubleClaim is one job claimed at two places.
	FaultDoubleClaim = "double claim"
	// FaultEquivocation is two signed receipts of one job or one seq.
	FaultEquivocation = "equivocation"
	// FaultPayment is one payment for two jobs.
	FaultPayment = "payment used twice"
	// FaultRecord is a leaf whose record breaks a rule or says other things.
	FaultRecord = "bad record"
	// FaultNode is an entry of a tree that is not the sum of its children.
	FaultNode = "bad sum"
	// FaultWithheld is a demanded leaf that was not opened in time.
	FaultWithheld = "data withheld"
	// FaultOmission is a record that its host never claimed.
	FaultOmission = "omitted receipt"
	// FaultStaleAttestation is a record that names an attestation after its expiry.
	FaultStaleAttestation = "stale attestation"
)

// How a demand ends.
const (
	// DemandAnswered is a demand whose leaf was opened: the bond is the operator's.
	DemandAnswered = "answered"
	// DemandWithheld is a demand that had no answer in time.
	DemandWithheld = "withheld"
	// DemandMoot is a demand whose batch was void before its deadline: the bond goes back.
	DemandMoot = "moot"
)

var (
	_ sdk.HasValidateBasic = (*MsgChallenge)(nil)
	_ sdk.HasValidateBasic = (*MsgDemandData)(nil)
	_ sdk.HasValidateBasic = (*MsgAnswerData)(nil)
	_ sdk.HasValidateBasic = (*MsgClaimOmitted)(nil)
	_ sdk.HasValidateBasic = (*MsgReportFailures)(nil)
	_ sdk.HasValidateBasic = (*MsgRefuteFailure)(nil)
)

// ValidateBasic checks that the evidence can be read and that batches are named only where it does not name them itself.
// Errors: ErrInvalidRequest, ErrBadEvidence.
func (m *MsgChallenge) ValidateBasic() error {
	if err := validateLength("salt", m.Salt, HashLength); err != nil {
		return err
	}
	switch {
	case m.ReportId == 0:
		return errorsmod.Wrap(ErrInvalidRequest, "report_id is 0")
	case len(m.Batches) > MaxNamedBatches, len(m.Batches) == 2 && m.Batches[0] == m.Batches[1]:
		return errorsmod.Wrapf(ErrInvalidRequest, "batches are %v, at most %d different ones", m.Batches, MaxNamedBatches)
	case len(m.Batches) > 0 && m.Kind != ChallengeKind_CHALLENGE_KIND_EQUIVOCATION:
		return errorsmod.Wrapf(ErrInvalidRequest, "batches are named in the evidence of %s", m.Kind)
	}
	return validateEvidence(m.Kind, m.Evidence)
}

// validateEvidence reads evidence of a kind. Error: ErrBadEvidence.
func validateEvidence(kind ChallengeKind, evidence []byte) error {
	if len(evidence) > fraud.MaxEvidence {
		return errorsmod.Wrapf(ErrBadEvidence, "%d bytes, most is %d", len(evidence), fraud.MaxEvidence)
	}
	var err error
	switch kind {
	case ChallengeKind_CHALLENGE_KIND_REPEAT:
		_, err = fraud.DecodeRepeat(evidence)
	case ChallengeKind_CHALLENGE_KIND_EQUIVOCATION:
		err = validateRecords(evidence)
	case ChallengeKind_CHALLENGE_KIND_RECORD:
		_, err = fraud.DecodeRecord(evidence)
	case ChallengeKind_CHALLENGE_KIND_NODE:
		_, err = fraud.DecodeNode(evidence)
	case ChallengeKind_CHALLENGE_KIND_ORDER:
		_, err = fraud.DecodeOrder(evidence)
	default:
		return errorsmod.Wrapf(ErrBadEvidence, "kind %d", kind)
	}
	if err != nil {
		return errorsmod.Wrap(ErrBadEvidence, err.Error())
	}
	return nil
}

// validateRecords reads two records, because they alone name who is accused.
func validateRecords(evidence []byte) error {
	e, err := fraud.DecodeEquivocation(evidence)
	if err != nil {
		return err
	}
	if _, err := receipt.Decode(e.SR1A); err != nil {
		return err
	}
	_, err = receipt.Decode(e.SR1B)
	return err
}

// ValidateBasic checks that a batch is named. Error: ErrInvalidRequest.
func (m *MsgDemandData) ValidateBasic() error {
	if m.BatchId == 0 {
		return errorsmod.Wrap(ErrInvalidRequest, "batch_id is 0")
	}
	return nil
}

// ValidateBasic checks the lengths. Error: ErrInvalidRequest.
func (m *MsgAnswerData) ValidateBasic() error {
	switch {
	case m.DemandId == 0:
		return errorsmod.Wrap(ErrInvalidRequest, "demand_id is 0")
	case len(m.Opening) > MaxOpeningBytes:
		return errorsmod.Wrapf(ErrInvalidRequest, "opening has %d bytes, most is %d", len(m.Opening), MaxOpeningBytes)
	case len(m.Record) != receipt.Size && len(m.Record) != receipt.SizeCountersigned:
		return errorsmod.Wrapf(ErrInvalidRequest, "record has %d bytes, want %d or %d", len(m.Record), receipt.Size, receipt.SizeCountersigned)
	}
	return nil
}

// ValidateBasic checks that the evidence can be read. Error: ErrBadEvidence.
func (m *MsgClaimOmitted) ValidateBasic() error {
	if len(m.Evidence) > fraud.MaxEvidence {
		return errorsmod.Wrapf(ErrBadEvidence, "%d bytes, most is %d", len(m.Evidence), fraud.MaxEvidence)
	}
	if _, err := fraud.DecodeOmission(m.Evidence); err != nil {
		return errorsmod.Wrap(ErrBadEvidence, err.Error())
	}
	return nil
}

// maxFails bounds the failures of one row, so that no sum of rows comes near 64 bits.
const maxFails = 1 << 32

// ValidateBasic checks the number of rows and each by itself. Error: ErrInvalidRequest.
func (m *MsgReportFailures) ValidateBasic() error {
	if len(m.Rows) == 0 || len(m.Rows) > MaxFailureRows {
		return errorsmod.Wrapf(ErrInvalidRequest, "%d rows, must be 1 to %d", len(m.Rows), MaxFailureRows)
	}
	for i := range m.Rows {
		if err := m.Rows[i].validate(); err != nil {
			return errorsmod.Wrapf(err, "row %d", i)
		}
	}
	return nil
}

func (r *FailureRow) validate() error {
	if r.Fails == 0 || r.Fails > maxFails {
		return errorsmod.Wrapf(ErrInvalidRequest, "%d fails, must be 1 to %d", r.Fails, uint64(maxFails))
	}
	return validateLength("root", r.Root, HashLength)
}

// ValidateBasic checks the lengths. Error: ErrInvalidRequest.
func (m *MsgRefuteFailure) ValidateBasic() error {
	if len(m.Path) > 64 {
		return errorsmod.Wrapf(ErrInvalidRequest, "path has %d hashes, most is 64", len(m.Path))
	}
	for _, hash := range m.Path {
		if err := validateLength("path", hash, HashLength); err != nil {
			return err
		}
	}
	return validateLength("record", m.Record, receipt.SizeCountersigned)
}
