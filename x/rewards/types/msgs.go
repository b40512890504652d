// SPDX-License-Identifier: Apache-2.0

package types

import errorsmod "cosmossdk.io/errors"

// ValidateBasic checks the message without state. Errors: ErrInvalidAddress, ErrInvalidAmount.
func (m *MsgSponsor) ValidateBasic() error {
	if err := checkPresent("sponsor", m.Sponsor); err != nil {
		return err
	}
	if m.AmountUusdc == 0 {
		return errorsmod.Wrap(ErrInvalidAmount, "amount_uusdc is 0")
	}
	return nil
}

// ValidateBasic checks the message without state. Error: ErrInvalidAddress.
func (m *MsgClaim) ValidateBasic() error {
	return checkPresent("operator", m.Operator)
}

// ValidateBasic checks the message without state. Errors: ErrInvalidAddress, ErrInvalidParams.
func (m *MsgUpdateParams) ValidateBasic() error {
	if err := checkPresent("authority", m.Authority); err != nil {
		return err
	}
	return m.Params.Validate()
}

// checkPresent refuses an empty address; the keeper reads it with the chain's codec.
func checkPresent(field, address string) error {
	if address == "" {
		return errorsmod.Wrapf(ErrInvalidAddress, "%s is empty", field)
	}
	return nil
}
