// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net/http"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
)

const (
	// maxJobTTLSeconds is the longest life of an authorisation (protocol §3).
	maxJobTTLSeconds = 3600
	// clockSlackSeconds is how far a payer's clock may be ahead of the host's.
	clockSlackSeconds = 30
	// authWindowSeconds is how old a proof of a payer key may be.
	authWindowSeconds = 60
)

// signedAuth is an authorisation as it arrived, with its id.
type signedAuth struct {
	receipt.JobAuth
	id  [32]byte
	sig [65]byte
}

// readJobAuth takes the authorisation off a request; only its form is checked.
func (h *Host) readJobAuth(r *http.Request) (signedAuth, *Refusal) {
	value := r.Header.Get(wire.HeaderJobAuth)
	if value == "" {
		return signedAuth{}, RefuseJobAuthMissing
	}
	auth, sig, err := wire.DecodeJobAuth(value)
	if err != nil {
		return signedAuth{}, RefuseJobAuthMalformed
	}
	if auth.Operator != h.keyAddress {
		return signedAuth{}, RefuseWrongHostKey
	}
	return signedAuth{JobAuth: auth, id: auth.ID(h.domain), sig: sig}, nil
}

// checkJobAuth applies the checks that need the clock and the payer's signature only.
func (h *Host) checkJobAuth(a *signedAuth, now uint64) *Refusal {
	switch {
	case now > a.ExpiresAt:
		return RefuseExpired
	case a.IssuedAt > now+clockSlackSeconds:
		return RefuseNotYetValid
	case a.IssuedAt > a.ExpiresAt:
		return RefuseTimesReversed // no receipt of it could be valid
	case a.ExpiresAt-a.IssuedAt > maxJobTTLSeconds:
		return RefuseTTLTooLong
	case !h.signedBy(a.Payer, a.id, a.sig):
		return RefuseBadSignature
	}
	return nil
}

// signedBy reports whether sig is the canonical signature of digest by the key of addr.
func (h *Host) signedBy(addr [20]byte, digest [32]byte, sig [65]byte) bool {
	if !canonical(&sig) {
		return false
	}
	got, err := h.recover(digest, sig)
	return err == nil && got == addr
}

// canonical reports whether a signature has a low s and v 27 or 28: a configured Recover is called with such ones only.
func canonical(sig *[65]byte) bool {
	var s secp256k1.ModNScalar
	overflow := s.SetByteSlice(sig[32:64])
	return !overflow && !s.IsOverHalfOrder() && (sig[64] == 27 || sig[64] == 28)
}

// authenticate returns the payer key that a request for receipts proves.
func (h *Host) authenticate(r *http.Request) ([20]byte, *Refusal) {
	addr, at, sig, err := wire.DecodeAuth(r.Header.Get(wire.HeaderAuth))
	if err != nil {
		return addr, RefuseAuthMissing
	}
	now := unixNow()
	if at > now+authWindowSeconds || now > at+authWindowSeconds {
		return addr, RefuseAuthStale
	}
	if !h.signedBy(addr, wire.AuthDigest(h.keyAddress, at), sig) {
		return addr, RefuseAuthBadSignature
	}
	return addr, nil
}

// unixNow is the wall clock in Unix seconds.
func unixNow() uint64 { return uint64(max(time.Now().Unix(), 0)) } //nolint:gosec // not negative
