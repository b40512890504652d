// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"strings"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/split"
	"github.com/gpucoord/gpucoord/domain/text"
)

// Limits of texts, in bytes.
const (
	// MaxURIBytes bounds the addresses of manifests and author proofs.
	MaxURIBytes = 256
	// MaxLicenseBytes bounds a licence expression.
	MaxLicenseBytes = 64
	// MaxNameBytes bounds a display name.
	MaxNameBytes = 64
)

// licenseSigns are the characters of an SPDX expression that are neither letters nor digits.
const licenseSigns = " .-+():"

// Validate checks all that can be checked of an asset by itself: lengths, texts, its lineage, its status and counters.
// Errors: ErrInvalidHash, ErrInvalidText, ErrInvalidAddress (no owner), ErrWrongKind, ErrWrongBase, ErrBadParents,
// ErrInvalidGenesis (a status or counter that no message can lead to).
func (a *Asset) Validate() error {
	if err := ValidateID("asset", a.Id); err != nil {
		return err
	}
	if a.Owner == "" {
		return errorsmod.Wrap(ErrInvalidAddress, "the owner is empty")
	}
	if err := validateLineage(a.Id, a.Kind, a.Base, a.Parents); err != nil {
		return err
	}
	if err := validateCard(a.ManifestUri, a.ManifestSha256, a.License, a.Name); err != nil {
		return err
	}
	down := a.Status == AssetStatus_ASSET_STATUS_TAKEN_DOWN
	switch {
	case !down && a.Status != AssetStatus_ASSET_STATUS_ACTIVE:
		return errorsmod.Wrapf(ErrInvalidGenesis, "asset %X has status %d", a.Id, a.Status)
	case down != (a.TakenDownEpoch > 0):
		return errorsmod.Wrapf(ErrInvalidGenesis, "asset %X has status %s and taken_down_epoch %d", a.Id, a.Status, a.TakenDownEpoch)
	case a.EarningFrom > 0 && a.Kind != AssetKind_ASSET_KIND_BASE:
		return errorsmod.Wrapf(ErrInvalidGenesis, "asset %X is no base and has earning_from", a.Id)
	case a.Version == 0:
		return errorsmod.Wrapf(ErrInvalidGenesis, "asset %X has version 0", a.Id)
	}
	return nil
}

// EarnsIn reports whether a base earns in epoch. What else an adapter needs is not asked here.
func (a *Asset) EarnsIn(epoch uint64) bool {
	return a.EarningFrom > 0 && epoch >= a.EarningFrom-1
}

// TakenDownIn reports whether the asset may not be used for work of epoch.
func (a *Asset) TakenDownIn(epoch uint64) bool {
	return a.Status == AssetStatus_ASSET_STATUS_TAKEN_DOWN && epoch >= a.TakenDownEpoch
}

// ValidateID checks that id has 32 bytes that are not all zero, since zero means "no asset". Error: ErrInvalidHash.
func ValidateID(what string, id []byte) error {
	if err := validateHash(what, id); err != nil {
		return err
	}
	if [HashSize]byte(id) == ([HashSize]byte{}) {
		return errorsmod.Wrapf(ErrInvalidHash, "the id of the %s is zero", what)
	}
	return nil
}

// ValidateTerms checks a royalty and its payees without the params: payees are needed when the royalty is above 0; where
// there are any, each has an address and at least 1 bps, and they add up to 10,000. Error: ErrBadTerms.
func ValidateTerms(royaltyBps uint64, payees []Payee) error {
	switch {
	case royaltyBps > WholeBps:
		return errorsmod.Wrapf(ErrBadTerms, "royalty_bps is %d, most is %d", royaltyBps, WholeBps)
	case royaltyBps > 0 && len(payees) == 0:
		return errorsmod.Wrap(ErrBadTerms, "a royalty needs payees")
	case len(payees) > MaxPayees:
		return errorsmod.Wrapf(ErrBadTerms, "%d payees, most is %d", len(payees), MaxPayees)
	}
	sum := uint64(0)
	for i, p := range payees {
		if p.Address == "" {
			return errorsmod.Wrapf(ErrBadTerms, "payee %d has no address", i)
		}
		if p.Bps == 0 || p.Bps > WholeBps {
			return errorsmod.Wrapf(ErrBadTerms, "payee %d has %d bps, must be 1 to %d", i, p.Bps, WholeBps)
		}
		sum += p.Bps
	}
	if len(payees) > 0 && sum != WholeBps {
		return errorsmod.Wrapf(ErrBadTerms, "the payees have %d bps, must be %d", sum, WholeBps)
	}
	return nil
}

// validateHash checks the length of a hash or salt. Error: ErrInvalidHash.
func validateHash(what string, hash []byte) error {
	if len(hash) != HashSize {
		return errorsmod.Wrapf(ErrInvalidHash, "%s has %d bytes, want %d", what, len(hash), HashSize)
	}
	return nil
}

// validateLineage checks that a base stands alone, and that an adapter names a base and parents that could exist.
func validateLineage(id []byte, kind AssetKind, base []byte, parents [][]byte) error {
	switch kind {
	case AssetKind_ASSET_KIND_BASE:
		if len(base) > 0 {
			return errorsmod.Wrap(ErrWrongBase, "a base has no base")
		}
		if len(parents) > 0 {
			return errorsmod.Wrap(ErrBadParents, "a base has no parents")
		}
		return nil
	case AssetKind_ASSET_KIND_ADAPTER:
		if err := ValidateID("base", base); err != nil {
			return err
		}
		if bytes.Equal(base, id) {
			return errorsmod.Wrap(ErrWrongBase, "an adapter is not its own base")
		}
		return validateParents(id, base, parents)
	default:
		return errorsmod.Wrapf(ErrWrongKind, "kind %d", kind)
	}
}

func validateParents(id, base []byte, parents [][]byte) error {
	if len(parents) > split.MaxParents {
		return errorsmod.Wrapf(ErrBadParents, "%d parents, most is %d", len(parents), split.MaxParents)
	}
	for i, parent := range parents {
		if err := ValidateID("parent", parent); err != nil {
			return err
		}
		if bytes.Equal(parent, id) || bytes.Equal(parent, base) {
			return errorsmod.Wrapf(ErrBadParents, "parent %d is the adapter itself or its base", i)
		}
		for j := range i {
			if bytes.Equal(parent, parents[j]) {
				return errorsmod.Wrapf(ErrBadParents, "parents %d and %d are the same", j, i)
			}
		}
	}
	return nil
}

// validateCard checks what an asset says about itself.
func validateCard(manifestURI string, manifestSHA256 []byte, license, name string) error {
	if err := validateText("manifest_uri", manifestURI, 0, MaxURIBytes); err != nil {
		return err
	}
	if err := validateHash("manifest_sha256", manifestSHA256); err != nil {
		return err
	}
	if err := validateText("license", license, 1, MaxLicenseBytes); err != nil {
		return err
	}
	for i := range len(license) {
		if !isLicenseByte(license[i]) {
			return errorsmod.Wrapf(ErrInvalidText, "license has %q, which no SPDX expression has", license[i])
		}
	}
	return validateText("name", name, 1, MaxNameBytes)
}

func isLicenseByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(licenseSigns, c) >= 0
}

// validateText checks the length in bytes, and that a page or a terminal can show the text: other bytes would also not
// survive the JSON of a genesis export.
func validateText(what, value string, least, most int) error {
	if len(value) < least || len(value) > most {
		return errorsmod.Wrapf(ErrInvalidText, "%s has %d bytes, must be %d to %d", what, len(value), least, most)
	}
	if !text.Plain(value) {
		return errorsmod.Wrapf(ErrInvalidText, "%s is not UTF-8 or has control or invisible characters", what)
	}
	return nil
}
