// SPDX-License-Identifier: Apache-2.0

package types

import (
	errorsmod "cosmossdk.io/errors"
)

const (
	publicKeyLength = 33
	signatureLength = 65
	nodeHashLength  = 64
)

// ValidateBasic has nothing to check: the addresses are parsed by the handler.
func (m *MsgConsentToOperator) ValidateBasic() error { return nil }

// ValidateBasic checks what the message says without state. Addresses are parsed by the handler.
func (m *MsgRegisterOperator) ValidateBasic() error {
	return Description{Moniker: m.Moniker, Region: m.Region, Tier: m.Tier}.Validate()
}

// ValidateBasic checks the description.
func (m *MsgUpdateOperator) ValidateBasic() error {
	return Description{Moniker: m.Moniker, Region: m.Region, Tier: m.Tier}.Validate()
}

// ValidateBasic checks the amount.
func (m *MsgBond) ValidateBasic() error { return checkAmount(m.AmountUltai) }

// ValidateBasic checks the amount.
func (m *MsgUnbond) ValidateBasic() error { return checkAmount(m.AmountUltai) }

// Offer returns what the message says about the host.
func (m *MsgRegisterHost) Offer() HostOffer {
	return HostOffer{Endpoint: m.Endpoint, TLSSPKISHA256: m.TlsSpkiSha256, CRNHash: m.CrnHash, Models: m.Models}
}

// ValidateBasic checks key lengths and the offer.
func (m *MsgRegisterHost) ValidateBasic() error {
	if err := checkKey(m.PublicKey, m.KeyProof); err != nil {
		return err
	}
	return m.Offer().Validate()
}

// Offer returns what the message says about the host.
func (m *MsgUpdateHost) Offer() HostOffer {
	return HostOffer{Endpoint: m.Endpoint, TLSSPKISHA256: m.TlsSpkiSha256, CRNHash: m.CrnHash, Models: m.Models}
}

// ValidateBasic checks the host id and the offer.
func (m *MsgUpdateHost) ValidateBasic() error {
	if err := checkID("host_id", m.HostId); err != nil {
		return err
	}
	return m.Offer().Validate()
}

// ValidateBasic checks the host id and key lengths.
func (m *MsgRegisterHostKey) ValidateBasic() error {
	if err := checkID("host_id", m.HostId); err != nil {
		return err
	}
	return checkKey(m.PublicKey, m.KeyProof)
}

// ValidateBasic checks the host id and the list of devices; an empty list withdraws all.
func (m *MsgCommitGPUs) ValidateBasic() error {
	if err := checkID("host_id", m.HostId); err != nil {
		return err
	}
	return ValidateCommitments(m.Gpus)
}

// ValidateBasic checks the host id, the list of devices and the signature's length.
func (m *MsgSubmitCapacity) ValidateBasic() error {
	if err := checkID("host_id", m.HostId); err != nil {
		return err
	}
	if len(m.Gpus) == 0 {
		return errorsmod.Wrap(ErrInvalidRequest, "gpus is empty: withdraw devices by a commitment")
	}
	if err := ValidateCommitments(m.Gpus); err != nil {
		return err
	}
	return checkSignature("signature", m.Signature)
}

// ValidateBasic checks that the expiry is a height.
func (m *MsgAuthoriseRelayer) ValidateBasic() error {
	if m.ExpiresHeight == 0 {
		return errorsmod.Wrap(ErrInvalidRequest, "expires_height is 0")
	}
	return nil
}

// ValidateBasic has nothing to check: the addresses are parsed by the handler.
func (m *MsgRevokeRelayer) ValidateBasic() error { return nil }

// ValidateBasic checks the node hash, the owner, the nonce and the signature's length.
func (m *MsgLinkNode) ValidateBasic() error {
	if len(m.NodeHash) != nodeHashLength || !isLowerHex(m.NodeHash) {
		return errorsmod.Wrap(ErrInvalidRequest, "node_hash is not lower-case hex of 64 characters")
	}
	if len(m.Owner) != AddressLength {
		return errorsmod.Wrapf(ErrInvalidRequest, "owner has %d bytes, want %d", len(m.Owner), AddressLength)
	}
	if m.Nonce == 0 {
		return errorsmod.Wrap(ErrInvalidRequest, "nonce is 0: it rises from 1")
	}
	return checkSignature("signature", m.Signature)
}

// ValidateBasic has nothing to check: ids are looked up.
func (m *MsgResolveDeferred) ValidateBasic() error { return nil }

// ValidateBasic checks the commitment's length.
func (m *MsgCommitReport) ValidateBasic() error { return checkID("commitment", m.Commitment) }

// ValidateBasic checks the moniker and the amount.
func (m *MsgRegisterVerifier) ValidateBasic() error {
	if err := (Description{Moniker: m.Moniker}).Validate(); err != nil {
		return err
	}
	return checkAmount(m.BondUltai)
}

// ValidateBasic has nothing to check: the address is parsed by the handler.
func (m *MsgLeaveVerifiers) ValidateBasic() error { return nil }

// ValidateBasic checks lengths, the claims' bits and that the time of validity is one.
func (m *MsgSubmitAttestation) ValidateBasic() error {
	if err := checkID("host_id", m.HostId); err != nil {
		return err
	}
	if n := len(m.Evidence); n == 0 || n > MaxEvidenceBytes {
		return errorsmod.Wrapf(ErrInvalidRequest, "evidence has %d bytes, want 1 to %d", n, MaxEvidenceBytes)
	}
	if m.Claims == 0 || m.Claims > AllClaims {
		return errorsmod.Wrapf(ErrInvalidRequest, "claims is %d, want 1 to %d", m.Claims, AllClaims)
	}
	if m.NotBefore > m.NotAfter {
		return errorsmod.Wrapf(ErrInvalidRequest, "not_before %d is above not_after %d", m.NotBefore, m.NotAfter)
	}
	_, err := FormatByName(m.Format)
	return err
}

// ValidateBasic checks the reference and the claims' bits.
func (m *MsgSignVerdict) ValidateBasic() error {
	if m.Claims > AllClaims {
		return errorsmod.Wrapf(ErrInvalidRequest, "claims is %d, want at most %d", m.Claims, AllClaims)
	}
	return checkID("ref", m.Ref)
}

// ValidateBasic checks the reference and the salt.
func (m *MsgChallengeAttestation) ValidateBasic() error {
	if err := checkID("ref", m.Ref); err != nil {
		return err
	}
	return checkID("salt", m.Salt)
}

// ValidateBasic checks the parameters' bounds.
func (m *MsgUpdateParams) ValidateBasic() error { return m.Params.Validate() }

func checkAmount(amount uint64) error {
	if amount == 0 {
		return errorsmod.Wrap(ErrInvalidRequest, "amount_ultai is 0")
	}
	return nil
}

func checkKey(publicKey, proof []byte) error {
	if len(publicKey) != publicKeyLength {
		return errorsmod.Wrapf(ErrInvalidRequest, "public_key has %d bytes, want %d", len(publicKey), publicKeyLength)
	}
	return checkSignature("key_proof", proof)
}

func checkSignature(field string, signature []byte) error {
	if len(signature) != signatureLength {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s has %d bytes, want %d", field, len(signature), signatureLength)
	}
	return nil
}
