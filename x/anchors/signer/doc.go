// SPDX-License-Identifier: Apache-2.0

// Package signer signs anchors on a validator's own machine: with a key file, or through a signer of its own behind a socket.
// Nothing of it is part of the state machine, which only verifies what it gives.
package signer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

// Errors of signers. A validator that meets one of them votes without a signature.
var (
	ErrKeyFile  = errors.New("anchor key file must hold 64 hex digits and be readable by its owner alone (chmod 600)")
	ErrConflict = errors.New("another anchor of this nonce or a later one was signed before: never sign two of one nonce; restore the signer's record if it is wrong")
	ErrRecord   = errors.New("the record of the last signed anchor can not be read or written: restore the file beside the key")
	ErrSettings = errors.New("anchor settings: give key_file or remote_signer = \"unix:///path\", not both")
	ErrRemote   = errors.New("remote signer gave no signature: see its log")
)

// Request is what is to be signed.
type Request struct {
	// Origin is the chain's origin id, the salt of the EIP-712 domain.
	Origin [32]byte
	// Anchor is the statement.
	Anchor anchor.Anchor
}

// Digest is the EIP-712 digest of the request.
func (r *Request) Digest() [32]byte { return anchor.NewDomain(r.Origin).Digest(r.Anchor) }

// Signer signs anchors. It never signs two different ones of one nonce and origin, not even across restarts.
type Signer interface {
	// Sign returns r | s | v with a low s and v 27 or 28, or an error within the time that ctx leaves.
	Sign(ctx context.Context, request Request) ([65]byte, error)
}

// wireRequest is a request on a remote signer's socket, one JSON object and a line feed.
type wireRequest struct {
	DigestHex string     `json:"digest_hex"`
	OriginHex string     `json:"origin_hex"`
	Anchor    wireAnchor `json:"anchor"`
}

// wireAnchor is an anchor in JSON; the numbers are strings, so that no reader rounds them.
type wireAnchor struct {
	Nonce      uint64 `json:"nonce,string"`
	Height     uint64 `json:"height,string"`
	Time       uint64 `json:"time,string"`
	TreeSize   uint64 `json:"tree_size,string"`
	Root       string `json:"root"`
	NextValset string `json:"next_valset"`
}

// wireResponse is the answer, one JSON object and a line feed: the signature, or why there is none.
type wireResponse struct {
	SignatureHex string `json:"signature_hex"`
	Error        string `json:"error,omitempty"`
}

// MarshalJSON writes the request as a remote signer reads it.
func (r Request) MarshalJSON() ([]byte, error) {
	digest, a := r.Digest(), r.Anchor
	return json.Marshal(wireRequest{
		DigestHex: hex.EncodeToString(digest[:]), OriginHex: hex.EncodeToString(r.Origin[:]),
		Anchor: wireAnchor{
			Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize,
			Root: hex.EncodeToString(a.Root[:]), NextValset: hex.EncodeToString(a.NextValset[:]),
		},
	})
}
