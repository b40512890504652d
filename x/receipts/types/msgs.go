// SPDX-License-Identifier: Apache-2.0

package types

import (
	"unicode"
	"unicode/utf8"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

const (
	// MaxMonikerBytes bounds a display name.
	MaxMonikerBytes = 64
	// MaxURIBytes bounds the address of a DA file.
	MaxURIBytes = 256
	// MaxOpeningBytes bounds an encoded opening.
	MaxOpeningBytes = 4_096
	// MaxSamples is the most samples that are ever drawn of one batch.
	MaxSamples = 20

	publicKeyLength = 33
	signatureLength = 65
)

var (
	_ sdk.HasValidateBasic = (*MsgConsentToGateway)(nil)
	_ sdk.HasValidateBasic = (*MsgRegisterGateway)(nil)
	_ sdk.HasValidateBasic = (*MsgBondGateway)(nil)
	_ sdk.HasValidateBasic = (*MsgAddGatewayKey)(nil)
	_ sdk.HasValidateBasic = (*MsgRemoveGatewayKey)(nil)
	_ sdk.HasValidateBasic = (*MsgRegisterSettler)(nil)
	_ sdk.HasValidateBasic = (*MsgDeposit)(nil)
	_ sdk.HasValidateBasic = (*MsgSetLimit)(nil)
	_ sdk.HasValidateBasic = (*MsgWithdraw)(nil)
	_ sdk.HasValidateBasic = (*MsgSubmitBatch)(nil)
	_ sdk.HasValidateBasic = (*MsgOpenSamples)(nil)
	_ sdk.HasValidateBasic = (*MsgDeclareLoss)(nil)
	_ sdk.HasValidateBasic = (*MsgUpdateParams)(nil)
)

// ValidateBasic has nothing to check: the addresses are parsed by the handler.
func (m *MsgConsentToGateway) ValidateBasic() error { return nil }

// ValidateBasic checks the moniker. Error: ErrInvalidRequest.
func (m *MsgRegisterGateway) ValidateBasic() error {
	return validateText("moniker", m.Moniker, 1, MaxMonikerBytes)
}

// ValidateBasic checks the amount. Error: ErrInvalidRequest.
func (m *MsgBondGateway) ValidateBasic() error { return validateAmount(m.AmountUusdc) }

// ValidateBasic checks the lengths. Error: ErrInvalidRequest.
func (m *MsgAddGatewayKey) ValidateBasic() error {
	if err := validateLength("public_key", m.PublicKey, publicKeyLength); err != nil {
		return err
	}
	return validateLength("key_proof", m.KeyProof, signatureLength)
}

// ValidateBasic checks the key's length. Error: ErrInvalidRequest.
func (m *MsgRemoveGatewayKey) ValidateBasic() error {
	return validateLength("address", m.Address, AddressLength)
}

// ValidateBasic checks that the class fits to whether there is a gateway. Error: ErrBadClass.
func (m *MsgRegisterSettler) ValidateBasic() error {
	return validateClass(m.Class, m.Gateway != "", m.PaysOperators)
}

// ValidateBasic checks the amount. Error: ErrInvalidRequest.
func (m *MsgDeposit) ValidateBasic() error { return validateAmount(m.AmountUusdc) }

// ValidateBasic checks that a limit is either set or removed. Error: ErrInvalidRequest.
func (m *MsgSetLimit) ValidateBasic() error {
	if m.UseDefault && m.LimitUusdc != 0 {
		return errorsmod.Wrapf(ErrInvalidRequest, "limit_uusdc is %d and use_default is set", m.LimitUusdc)
	}
	return nil
}

// ValidateBasic checks the amount. Error: ErrInvalidRequest.
func (m *MsgWithdraw) ValidateBasic() error { return validateAmount(m.AmountUusdc) }

// ValidateBasic checks lengths, the number of groups and the DA reference. Errors: ErrInvalidRequest, ErrGroupCount, ErrBadDA.
func (m *MsgSubmitBatch) ValidateBasic() error {
	if err := validateLength("host_key", m.HostKey, AddressLength); err != nil {
		return err
	}
	if len(m.Groups) == 0 || len(m.Groups) > MaxGroups {
		return errorsmod.Wrapf(ErrGroupCount, "%d groups, must be 1 to %d", len(m.Groups), MaxGroups)
	}
	for i := range m.Groups {
		if err := m.Groups[i].ValidateShape(); err != nil {
			return errorsmod.Wrapf(err, "group %d", i)
		}
	}
	return ValidateDA(m.DaUri, m.DaSha256)
}

// ValidateBasic checks the number and lengths of the samples and that draws ascend. Error: ErrInvalidRequest.
func (m *MsgOpenSamples) ValidateBasic() error {
	if len(m.Samples) == 0 || len(m.Samples) > MaxSamples {
		return errorsmod.Wrapf(ErrInvalidRequest, "%d samples, must be 1 to %d", len(m.Samples), MaxSamples)
	}
	for i := range m.Samples {
		s := &m.Samples[i]
		switch {
		case i > 0 && s.Draw <= m.Samples[i-1].Draw:
			return errorsmod.Wrapf(ErrInvalidRequest, "sample %d: draw %d is not above the one before", i, s.Draw)
		case len(s.Opening) > MaxOpeningBytes:
			return errorsmod.Wrapf(ErrInvalidRequest, "sample %d: opening has %d bytes, most is %d", i, len(s.Opening), MaxOpeningBytes)
		case len(s.Record) != receipt.Size && len(s.Record) != receipt.SizeCountersigned:
			return errorsmod.Wrapf(ErrInvalidRequest, "sample %d: record has %d bytes, want %d or %d",
				i, len(s.Record), receipt.Size, receipt.SizeCountersigned)
		}
	}
	return nil
}

// ValidateBasic checks the host id's length. Error: ErrInvalidRequest.
func (m *MsgDeclareLoss) ValidateBasic() error {
	return validateLength("host_id", m.HostId, HashLength)
}

// ValidateBasic checks the parameters. Error: ErrInvalidParams.
func (m *MsgUpdateParams) ValidateBasic() error { return m.Params.Validate() }

// ValidateDA checks a DA reference: a printable address of at most 256 bytes, empty for none, and a SHA-256. Error: ErrBadDA.
func ValidateDA(uri string, sha256 []byte) error {
	if err := validateText("da_uri", uri, 0, MaxURIBytes); err != nil {
		return errorsmod.Wrap(ErrBadDA, err.Error())
	}
	if len(sha256) != HashLength {
		return errorsmod.Wrapf(ErrBadDA, "da_sha256 has %d bytes, want %d", len(sha256), HashLength)
	}
	return nil
}

func validateAmount(uusdc uint64) error {
	if uusdc == 0 {
		return errorsmod.Wrap(ErrInvalidRequest, "amount_uusdc is 0, least is 1")
	}
	return nil
}

// validateClass checks what a settler may be. Error: ErrBadClass.
func validateClass(class Class, hasGateway, paysOperators bool) error {
	switch class {
	case Class_CLASS_ROUTED, Class_CLASS_PINNED, Class_CLASS_TRIAL:
		if !hasGateway {
			return errorsmod.Wrapf(ErrBadClass, "%s needs a gateway", class)
		}
		return nil
	case Class_CLASS_DIRECT:
		if hasGateway || paysOperators {
			return errorsmod.Wrapf(ErrBadClass, "%s has no gateway and no operator share to pay", class)
		}
		return nil
	default:
		return errorsmod.Wrapf(ErrBadClass, "class %d", class)
	}
}

// validateText checks the length in bytes, and that a page or a terminal can show the text. Error: ErrInvalidRequest.
func validateText(name, text string, least, most int) error {
	if len(text) < least || len(text) > most {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s has %d bytes, must be %d to %d", name, len(text), least, most)
	}
	if !utf8.ValidString(text) {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s is not UTF-8", name)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return errorsmod.Wrapf(ErrInvalidRequest, "%s has the unprintable character %U", name, r)
		}
	}
	return nil
}
