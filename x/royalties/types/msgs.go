// SPDX-License-Identifier: Apache-2.0

package types

import sdk "github.com/cosmos/cosmos-sdk/types"

var (
	_ sdk.HasValidateBasic = (*MsgCommitAsset)(nil)
	_ sdk.HasValidateBasic = (*MsgRegisterAsset)(nil)
	_ sdk.HasValidateBasic = (*MsgUpdateTerms)(nil)
	_ sdk.HasValidateBasic = (*MsgProposeAuthorProof)(nil)
	_ sdk.HasValidateBasic = (*MsgDecideAuthorProof)(nil)
	_ sdk.HasValidateBasic = (*MsgTakeDown)(nil)
	_ sdk.HasValidateBasic = (*MsgReassign)(nil)
	_ sdk.HasValidateBasic = (*MsgUpdateParams)(nil)
)

// ValidateBasic checks the hash. Error: ErrInvalidHash.
func (m *MsgCommitAsset) ValidateBasic() error {
	return validateHash("hash", m.Hash)
}

// ValidateBasic checks lengths, texts, lineage and terms as far as the message alone shows them.
// Errors: ErrInvalidHash, ErrInvalidText, ErrWrongKind, ErrWrongBase, ErrBadParents, ErrBadTerms.
func (m *MsgRegisterAsset) ValidateBasic() error {
	if err := ValidateID("asset", m.AssetId); err != nil {
		return err
	}
	if err := validateHash("salt", m.Salt); err != nil {
		return err
	}
	if err := validateLineage(m.AssetId, m.Kind, m.Base, m.Parents); err != nil {
		return err
	}
	if err := validateCard(m.ManifestUri, m.ManifestSha256, m.License, m.Name); err != nil {
		return err
	}
	return ValidateTerms(m.RoyaltyBps, m.Payees)
}

// ValidateBasic checks the id and the terms. Errors: ErrInvalidHash, ErrBadTerms.
func (m *MsgUpdateTerms) ValidateBasic() error {
	if err := ValidateID("asset", m.AssetId); err != nil {
		return err
	}
	return ValidateTerms(m.RoyaltyBps, m.Payees)
}

// ValidateBasic checks the id and the proof. Errors: ErrInvalidHash, ErrInvalidText.
func (m *MsgProposeAuthorProof) ValidateBasic() error {
	if err := ValidateID("asset", m.AssetId); err != nil {
		return err
	}
	return validateProof(m.Uri, m.Sha256)
}

// ValidateBasic checks the id. Error: ErrInvalidHash.
func (m *MsgDecideAuthorProof) ValidateBasic() error {
	return ValidateID("asset", m.AssetId)
}

// ValidateBasic checks the id. Error: ErrInvalidHash.
func (m *MsgTakeDown) ValidateBasic() error {
	return ValidateID("asset", m.AssetId)
}

// ValidateBasic checks the id. Error: ErrInvalidHash.
func (m *MsgReassign) ValidateBasic() error {
	return ValidateID("asset", m.AssetId)
}

// ValidateBasic checks the parameters. Error: ErrInvalidParams.
func (m *MsgUpdateParams) ValidateBasic() error {
	return m.Params.Validate()
}

func validateProof(uri string, sha256 []byte) error {
	if err := validateText("uri", uri, 1, MaxURIBytes); err != nil {
		return err
	}
	return validateHash("sha256", sha256)
}
