// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"
)

// ValidateBasic checks the parameters' bounds.
func (m *MsgUpdateParams) ValidateBasic() error { return m.Params.Validate() }

// ValidateBasic checks lengths. Errors: ErrInvalidMessage.
func (m *MsgRegisterAnchorKey) ValidateBasic() error {
	if len(m.Address) != 20 {
		return errorsmod.Wrapf(ErrInvalidMessage, "address has %d bytes, want 20", len(m.Address))
	}
	if [20]byte(m.Address) == [20]byte{} {
		return errorsmod.Wrap(ErrInvalidMessage, "address is zero")
	}
	return checkSignature("proof", m.Proof)
}

// ValidateBasic checks lengths, and that a second anchor is another one of the same nonce. Errors: ErrInvalidMessage, ErrNoFault.
func (m *MsgSubmitAnchorEvidence) ValidateBasic() error {
	first, err := m.First.Domain()
	if err != nil {
		return err
	}
	if first.Nonce == 0 {
		return errorsmod.Wrap(ErrInvalidMessage, "nonces count from 1")
	}
	if err := checkSignature("first_signature", m.FirstSignature); err != nil {
		return err
	}
	if m.Second == nil {
		if len(m.SecondSignature) != 0 {
			return errorsmod.Wrap(ErrInvalidMessage, "second_signature without second")
		}
		return nil
	}
	second, err := m.Second.Domain()
	if err != nil {
		return err
	}
	if second.Nonce != first.Nonce || second == first {
		return errorsmod.Wrapf(ErrNoFault, "nonces %d and %d", first.Nonce, second.Nonce)
	}
	return checkSignature("second_signature", m.SecondSignature)
}

func checkSignature(name string, signature []byte) error {
	if len(signature) != SignatureSize {
		return errorsmod.Wrapf(ErrInvalidMessage, "%s has %d bytes, want %d", name, len(signature), SignatureSize)
	}
	return nil
}
