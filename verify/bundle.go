// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// Format is the name and version of the bundle format.
	Format = "gpucoord-receipt-bundle/1"
	// MaxBytes is the largest bundle that is read. One is at most 20 KiB with the validators of most chains.
	MaxBytes = 64 << 10
)

// Bytes are base64 in JSON, without any freedom in how they are written.
type Bytes []byte

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(s)
	*b = decoded
	return err
}

// Bundle is all that leads from one receipt to a header and an anchor. The package comment has its format.
type Bundle struct {
	Format         string       `json:"format"`
	ChainID        string       `json:"chain_id"`
	OriginID       Bytes        `json:"origin_id"`
	Record         Bytes        `json:"record"`
	Opening        Bytes        `json:"opening"`
	Group          Group        `json:"group"`
	Leaf           Leaf         `json:"leaf"`
	Anchor         Anchor       `json:"anchor"`
	LogConsistency Bytes        `json:"log_consistency"`
	State          []StoreProof `json:"state"`
	Header         Bytes        `json:"header"`
	Commit         Commit       `json:"commit"`
	Validators     Bytes        `json:"validators"`
	Trusted        *Trusted     `json:"trusted,omitempty"`
}

// Group is the record's group and its place in the batch.
type Group struct {
	// Index is its position in the batch, from 0.
	Index uint64 `json:"index,string"`
	// HostKey, the address of the batch's receipt key, and Settler are 20 bytes; ModelID and AdapterID are 32.
	HostKey   Bytes `json:"host_key"`
	Settler   Bytes `json:"settler"`
	ModelID   Bytes `json:"model_id"`
	AdapterID Bytes `json:"adapter_id"`
	// Count, FirstSeq and LastSeq are those of the group's leaves.
	Count    uint64 `json:"count,string"`
	FirstSeq uint64 `json:"first_seq,string"`
	LastSeq  uint64 `json:"last_seq,string"`
	// Root is the sum tree's root entry, 56 bytes.
	Root Bytes `json:"root"`
	// Path leads to the batch root, 32 bytes a hash.
	Path Bytes `json:"path"`
}

// Leaf is the batch's leaf of the log.
type Leaf struct {
	// Index is its position in the log, from 0.
	Index uint64 `json:"index,string"`
	// Data is the leaf data, 121 bytes.
	Data Bytes `json:"data"`
	// Path is the inclusion proof at the anchor's size, 32 bytes a hash.
	Path Bytes `json:"path"`
}

// Anchor is the anchor and enough signatures of it.
type Anchor struct {
	Nonce    uint64 `json:"nonce,string"`
	Height   uint64 `json:"height,string"`
	Time     uint64 `json:"time,string"`
	TreeSize uint64 `json:"tree_size,string"`
	// Root and NextValset are 32 bytes.
	Root       Bytes `json:"root"`
	NextValset Bytes `json:"next_valset"`
	// Bitmap has a bit for each member that signed, 32 bytes; Signatures are in the order of the members, 65 bytes each.
	Bitmap     Bytes `json:"bitmap"`
	Signatures Bytes `json:"signatures"`
}

// StoreProof proves entries of one module's store.
type StoreProof struct {
	// Store is the store's name.
	Store string `json:"store"`
	// Root proves the store's root in the app hash.
	Root Bytes `json:"root"`
	// Entries prove keys and values, which they contain, in the store.
	Entries []Bytes `json:"entries"`
}

// Commit is the part of a header's commit that holds more than two thirds.
type Commit struct {
	Round      uint32 `json:"round"`
	PartsTotal uint32 `json:"parts_total"`
	PartsHash  Bytes  `json:"parts_hash"`
	// Bitmap has bit i%8 of byte i/8 set when validator i signed.
	Bitmap Bytes `json:"bitmap"`
	// Signatures has, for each, Unix nanoseconds i64 | signature 64.
	Signatures Bytes `json:"signatures"`
}

// Trusted is a header from which the light client starts.
type Trusted struct {
	Header Bytes `json:"header"`
	// Validators are the next ones after it; empty when the bundle's are the same.
	Validators Bytes `json:"validators"`
}

// Decode reads a bundle. White space is free; nothing else is, so that one bundle has one meaning.
//
// Errors: ErrTooLarge, ErrMalformed, ErrNotCanonical.
func Decode(text []byte) (*Bundle, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%w (this has %d bytes)", ErrTooLarge, len(text))
	}
	var b Bundle
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows it", ErrMalformed)
	}
	if b.Format != Format {
		return nil, fmt.Errorf("%w: format is %q, want %q", ErrMalformed, b.Format, Format)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	again, err := b.Encode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(compact.Bytes(), again) {
		return nil, ErrNotCanonical
	}
	return &b, nil
}

// Encode returns the bundle's JSON on one line.
func (b *Bundle) Encode() ([]byte, error) { return json.Marshal(b) }

func array[A [20]byte | [32]byte](b []byte, name string) (a A, err error) {
	if len(b) != len(a) {
		return a, fmt.Errorf("%w: %s has %d bytes, want %d", ErrFieldLength, name, len(b), len(a))
	}
	return A(b), nil
}

// hashes splits a path into its hashes.
func hashes(b []byte, name string) ([][32]byte, error) {
	if len(b)%32 != 0 {
		return nil, fmt.Errorf("%w: %s is not a multiple of 32 bytes", ErrFieldLength, name)
	}
	out := make([][32]byte, len(b)/32)
	for i := range out {
		out[i] = [32]byte(b[32*i:])
	}
	return out, nil
}
