// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/light"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	comet "github.com/cometbft/cometbft/types"
)

const (
	voteSize = 8 + ed25519.SignatureSize
	// maxValidators bounds what a bundle may make this program compute.
	maxValidators = 1024
	// maxClockDrift is how far a header may be ahead of this machine's clock: CometBFT's own default.
	maxClockDrift = 10 * time.Second
)

// lightBlock is a header with its commit and validators.
type lightBlock struct {
	signed     *comet.SignedHeader
	validators *comet.ValidatorSet
}

// EncodeHeader returns a header's bytes in a bundle.
func EncodeHeader(h *comet.Header) ([]byte, error) { return h.ToProto().Marshal() }

func decodeHeader(b []byte) (*comet.Header, error) {
	var p cmtproto.Header
	if err := p.Unmarshal(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	again, err := p.Marshal()
	if err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: not in its one encoding", ErrHeader)
	}
	h, err := comet.HeaderFromProto(&p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return &h, nil
}

// EncodeValidators returns a validator set's bytes in a bundle.
//
// Errors: ErrHeader for keys that are not Ed25519, the only type that this chain's genesis allows.
func EncodeValidators(set *comet.ValidatorSet) ([]byte, error) {
	var b []byte
	for _, v := range set.Validators {
		if v.PubKey.Type() != ed25519.KeyType {
			return nil, fmt.Errorf("%w: validator key of type %s", ErrHeader, v.PubKey.Type())
		}
		b = append(b, v.PubKey.Bytes()...)
		b = binary.AppendUvarint(b, uint64(v.VotingPower)) //nolint:gosec // positive in a valid set
	}
	return b, nil
}

func decodeValidators(b []byte) (*comet.ValidatorSet, error) {
	var all []*comet.Validator
	for rest := b; len(rest) > 0; {
		if len(rest) <= ed25519.PubKeySize || len(all) == maxValidators {
			return nil, fmt.Errorf("%w: validators", ErrHeader)
		}
		key := ed25519.PubKey(bytes.Clone(rest[:ed25519.PubKeySize]))
		power, n := binary.Uvarint(rest[ed25519.PubKeySize:])
		if n <= 0 || power == 0 || power > uint64(comet.MaxTotalVotingPower) {
			return nil, fmt.Errorf("%w: voting power of validator %d", ErrHeader, len(all))
		}
		all = append(all, comet.NewValidator(key, int64(power))) //nolint:gosec // bounded above
		rest = rest[ed25519.PubKeySize+n:]
	}
	set, err := comet.ValidatorSetFromExistingValidators(all)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	if again, err := EncodeValidators(set); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: validators not in order", ErrHeader)
	}
	return set, nil
}

// EncodeCommit returns the part of a commit that a bundle carries: the fewest signatures of set that hold more than two thirds.
//
// Errors: ErrCommit when they do not.
func EncodeCommit(commit *comet.Commit, set *comet.ValidatorSet) (Commit, error) {
	c := Commit{
		Round:      uint32(commit.Round), //nolint:gosec // not negative in a valid commit
		PartsTotal: commit.BlockID.PartSetHeader.Total,
		PartsHash:  Bytes(commit.BlockID.PartSetHeader.Hash),
		Bitmap:     make(Bytes, (set.Size()+7)/8),
	}
	need, held := set.TotalVotingPower()*2/3, int64(0)
	// A set is in descending order of power, so that the first ones are the fewest.
	for i, s := range commit.Signatures {
		if s.BlockIDFlag != comet.BlockIDFlagCommit || held > need || i >= set.Size() {
			continue
		}
		c.Bitmap[i/8] |= 1 << (i % 8)
		c.Signatures = binary.BigEndian.AppendUint64(c.Signatures, uint64(s.Timestamp.UnixNano())) //nolint:gosec // two's complement
		c.Signatures = append(c.Signatures, s.Signature...)
		held += set.Validators[i].VotingPower
	}
	if held <= need {
		return Commit{}, ErrCommit
	}
	return c, nil
}

func (c *Commit) decode(h *comet.Header, set *comet.ValidatorSet) (*comet.Commit, error) {
	count := 0
	for _, b := range c.Bitmap {
		count += bits.OnesCount8(b)
	}
	if len(c.Bitmap) != (set.Size()+7)/8 || len(c.Signatures) != count*voteSize || c.Round > 1<<31-1 {
		return nil, fmt.Errorf("%w: bitmap or signatures do not fit each other or the set", ErrHeader)
	}
	id := comet.BlockID{Hash: h.Hash(), PartSetHeader: comet.PartSetHeader{Total: c.PartsTotal, Hash: []byte(c.PartsHash)}}
	// CometBFT panics on the sign bytes of a block id of other lengths.
	if err := id.ValidateBasic(); err != nil || !id.IsComplete() {
		return nil, fmt.Errorf("%w: block id", ErrHeader)
	}
	commit := &comet.Commit{Height: h.Height, Round: int32(c.Round), BlockID: id, Signatures: make([]comet.CommitSig, set.Size())}
	rest := c.Signatures
	for i := range commit.Signatures {
		commit.Signatures[i] = comet.NewCommitSigAbsent()
		if c.Bitmap[i/8]>>(i%8)&1 == 0 {
			continue
		}
		count--
		commit.Signatures[i] = comet.CommitSig{
			BlockIDFlag:      comet.BlockIDFlagCommit,
			ValidatorAddress: set.Validators[i].Address,
			Timestamp:        time.Unix(0, int64(binary.BigEndian.Uint64(rest))).UTC(), //nolint:gosec // two's complement
			Signature:        bytes.Clone(rest[8:voteSize]),
		}
		rest = rest[voteSize:]
	}
	if count != 0 {
		return nil, fmt.Errorf("%w: a bit beyond the set", ErrHeader)
	}
	return commit, nil
}

func (b *Bundle) lightBlock() (*lightBlock, error) {
	header, err := decodeHeader(b.Header)
	if err != nil {
		return nil, err
	}
	if header.ChainID != b.ChainID {
		return nil, fmt.Errorf("%w: header of %q in a bundle of %q", ErrWrongChain, header.ChainID, b.ChainID)
	}
	set, err := decodeValidators(b.Validators)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(set.Hash(), header.ValidatorsHash) {
		return nil, ErrWrongValidators
	}
	commit, err := b.Commit.decode(header, set)
	if err != nil {
		return nil, err
	}
	signed := &comet.SignedHeader{Header: header, Commit: commit}
	if err := signed.ValidateBasic(b.ChainID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return &lightBlock{signed: signed, validators: set}, nil
}

// checkCommit verifies every signature that the bundle carries, and that they hold more than two thirds.
func (l *lightBlock) checkCommit() error {
	h := l.signed
	err := comet.VerifyCommitLightAllSignatures(h.ChainID, l.validators, h.Commit.BlockID, h.Height, h.Commit)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCommit, err)
	}
	return nil
}

// checkTrust says why the header is trusted, from what the user trusts. A trusted header that is the bundle's own needs no other; from
// an earlier one the light client of CometBFT skips to the bundle's.
func (v *verifier) checkTrust(l *lightBlock) (why string, err error) {
	trust := v.options.Trust
	if !l.signed.Time.Before(v.options.Now.Add(maxClockDrift)) {
		return "", fmt.Errorf("%w: header of %s", ErrFutureTime, l.signed.Time.UTC().Format(time.RFC3339))
	}
	if l.signed.Height == trust.Height {
		if !bytes.Equal(l.signed.Hash(), trust.Hash[:]) {
			return "", fmt.Errorf("%w: %d has %s here", ErrFork, trust.Height, l.signed.Hash())
		}
		return "its hash is the one you trust", nil
	}
	if v.bundle.Trusted == nil {
		return "", ErrNoTrustedHeader
	}
	header, err := decodeHeader(v.bundle.Trusted.Header)
	if err != nil {
		return "", err
	}
	if header.Height != trust.Height {
		return "", fmt.Errorf("%w (it has %d and %d)", ErrNoTrustedHeader, header.Height, l.signed.Height)
	}
	if !bytes.Equal(header.Hash(), trust.Hash[:]) {
		return "", fmt.Errorf("%w: %d has %s here", ErrFork, trust.Height, header.Hash())
	}
	if header.ChainID != v.bundle.ChainID {
		return "", fmt.Errorf("%w: the trusted header is of %q", ErrWrongChain, header.ChainID)
	}
	next := l.validators
	if len(v.bundle.Trusted.Validators) > 0 {
		if next, err = decodeValidators(v.bundle.Trusted.Validators); err != nil {
			return "", err
		}
	}
	if !bytes.Equal(next.Hash(), header.NextValidatorsHash) {
		return "", fmt.Errorf("%w: those after the trusted header", ErrWrongValidators)
	}
	trusted := &comet.SignedHeader{Header: header}
	err = light.Verify(trusted, next, l.signed, l.validators, v.options.TrustingPeriod, v.options.Now, maxClockDrift, light.DefaultTrustLevel)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotTrusted, err)
	}
	return fmt.Sprintf("CometBFT's light client accepts it from header %d, whose hash you trust", header.Height), nil
}
