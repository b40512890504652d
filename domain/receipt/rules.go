// SPDX-License-Identifier: Apache-2.0

package receipt

import "errors"

// The errors of the 13 record rules, in the order in which the rules are applied.
var (
	ErrBadLength        = errors.New("record is neither 533 nor 598 bytes: send one whole SR1 record")
	ErrBadVersion       = errors.New("record version is not 1: encode it as SR1")
	ErrBadFlags         = errors.New("record flags do not match its length: 0 with 533 bytes, 1 with 598")
	ErrBadOutcome       = errors.New("outcome is not 1..6: state one of the six outcomes")
	ErrAmountOverMax    = errors.New("amount is over maxAmount: charge at most what the payer authorised")
	ErrAmountNotAllowed = errors.New("amount is not 0 for this outcome: only OK and USER_CANCEL may cost anything")
	ErrTimeOrder        = errors.New("servedAt is not within issuedAt..expiresAt: serve inside the authorisation's time")
	ErrCachedOverPrompt = errors.New("cachedTokens is over promptTokens: cached tokens are a part of the prompt")
	ErrHighS            = errors.New("signature has a high s: send n - s and flip v")
	ErrBadV             = errors.New("signature v is not 27 or 28: add 27 to the recovery parity")
	ErrBadPayerSig      = errors.New("sigPayer is not the payer's over the jobId: sign the JobAuth digest of this chain with the payer key")
	ErrBadOperatorSig   = errors.New("sigOperator is not the operator's over the receipt digest: sign it with the host's receipt key")
	ErrBadFinalSig      = errors.New("sigFinal is not the payer's over the receipt digest: countersign the receipt with the payer key")
)

// RuleName returns the name that the format gives to a rule's error, "OK" for nil, and "" for an error that is of no rule.
func RuleName(err error) string {
	if err == nil {
		return "OK"
	}
	for _, rule := range [...]struct {
		err  error
		name string
	}{
		{ErrBadLength, "BAD_LENGTH"},
		{ErrBadVersion, "BAD_VERSION"},
		{ErrBadFlags, "BAD_FLAGS"},
		{ErrBadOutcome, "BAD_OUTCOME"},
		{ErrAmountOverMax, "AMOUNT_OVER_MAX"},
		{ErrAmountNotAllowed, "AMOUNT_NOT_ALLOWED"},
		{ErrTimeOrder, "TIME_ORDER"},
		{ErrCachedOverPrompt, "CACHED_OVER_PROMPT"},
		{ErrHighS, "HIGH_S"},
		{ErrBadV, "BAD_V"},
		{ErrBadPayerSig, "BAD_PAYER_SIG"},
		{ErrBadOperatorSig, "BAD_OPERATOR_SIG"},
		{ErrBadFinalSig, "BAD_FINAL_SIG"},
	} {
		if errors.Is(err, rule.err) {
			return rule.name
		}
	}
	return ""
}

// Recover returns the address whose key made sig over digest. It is called with canonical signatures only (low s, v 27 or 28), and
// must refuse r = 0, r >= n, s = 0 and an r that is not the x coordinate of a point.
type Recover func(digest [32]byte, sig [65]byte) ([20]byte, error)

// Checker checks records of one domain.
type Checker struct {
	// Domain is the chain's.
	Domain Domain
	// Recover is the recovery to use; nil means RecoverAddress, in pure Go.
	Recover Recover
}

// Check decodes an SR1 record and applies all 13 rules in order; the first that fails is the error, and then there is no record.
func (c Checker) Check(b []byte) (Record, error) {
	r, err := Decode(b)
	if err != nil {
		return Record{}, err
	}
	if _, _, err := c.CheckRecord(&r); err != nil {
		return Record{}, err
	}
	return r, nil
}

// CheckRecord applies rules 4 to 13 to a decoded record and returns its jobId and receipt digest, both zero if a rule fails.
func (c Checker) CheckRecord(r *Record) (jobID, digest [32]byte, err error) {
	if err := checkFields(r); err != nil {
		return jobID, digest, err
	}
	if err := checkSignatureForms(r); err != nil {
		return jobID, digest, err
	}
	id := r.JobID(c.Domain)
	if !c.signedBy(r.Auth.Payer, id, r.SigPayer) {
		return jobID, digest, ErrBadPayerSig
	}
	d := r.digest(c.Domain, id)
	if !c.signedBy(r.Auth.Operator, d, r.SigOperator) {
		return jobID, digest, ErrBadOperatorSig
	}
	if r.Countersigned && !c.signedBy(r.Auth.Payer, d, r.SigFinal) {
		return jobID, digest, ErrBadFinalSig
	}
	return id, d, nil
}

// checkFields applies rules 4 to 8.
func checkFields(r *Record) error {
	switch {
	case r.Outcome < OutcomeOK || r.Outcome > OutcomeRefused:
		return ErrBadOutcome
	case r.Amount > r.Auth.MaxAmount:
		return ErrAmountOverMax
	case r.Amount > 0 && r.Outcome != OutcomeOK && r.Outcome != OutcomeUserCancel:
		return ErrAmountNotAllowed
	case r.ServedAt < r.Auth.IssuedAt || r.ServedAt > r.Auth.ExpiresAt:
		return ErrTimeOrder
	case r.CachedTokens > r.PromptTokens:
		return ErrCachedOverPrompt
	}
	return nil
}

// checkSignatureForms applies rules 9 and 10, each over all signatures present.
func checkSignatureForms(r *Record) error {
	if highS(&r.SigPayer) || highS(&r.SigOperator) || r.Countersigned && highS(&r.SigFinal) {
		return ErrHighS
	}
	if badV(&r.SigPayer) || badV(&r.SigOperator) || r.Countersigned && badV(&r.SigFinal) {
		return ErrBadV
	}
	return nil
}

func (c Checker) signedBy(want [20]byte, digest [32]byte, sig [65]byte) bool {
	recoverAddress := c.Recover
	if recoverAddress == nil {
		recoverAddress = RecoverAddress
	}
	got, err := recoverAddress(digest, sig)
	return err == nil && got == want
}
