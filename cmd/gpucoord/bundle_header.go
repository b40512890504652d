// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"

	comet "github.com/cometbft/cometbft/types"

	"github.com/gpucoord/gpucoord/verify"
)

// putHeader writes the header with its commit and validators, and the trusted one before it.
func (b *bundler) putHeader(ctx context.Context, bundle *verify.Bundle) (*comet.Header, error) {
	var height *int64
	if b.options.headerHeight != 0 {
		height = &b.options.headerHeight
	}
	signed, err := b.node.Commit(ctx, height)
	if err != nil {
		return nil, fmt.Errorf("ask for the header: %w", err)
	}
	if signed.Header == nil || signed.Commit == nil {
		return nil, fmt.Errorf("%w: header", errNodeAnswer)
	}
	set, err := b.validators(ctx, signed.Height)
	if err != nil {
		return nil, err
	}
	bundle.ChainID = signed.ChainID
	if bundle.Header, err = verify.EncodeHeader(signed.Header); err != nil {
		return nil, err
	}
	if bundle.Commit, err = verify.EncodeCommit(signed.Commit, set); err != nil {
		return nil, err
	}
	if bundle.Validators, err = verify.EncodeValidators(set); err != nil {
		return nil, err
	}
	return signed.Header, b.putTrusted(ctx, bundle, signed.Header)
}

// putTrusted writes the header of --trust-height, and its next validators if they are not those of header.
func (b *bundler) putTrusted(ctx context.Context, bundle *verify.Bundle, header *comet.Header) error {
	height := b.options.trustHeight
	if height == 0 || height == header.Height {
		return nil
	}
	if height > header.Height {
		return fmt.Errorf("%w (%d)", errTrustHeight, header.Height)
	}
	trusted, err := b.node.Commit(ctx, &height)
	if err != nil || trusted.Header == nil {
		return fmt.Errorf("ask for header %d: %w", height, err)
	}
	bundle.Trusted = &verify.Trusted{}
	if bundle.Trusted.Header, err = verify.EncodeHeader(trusted.Header); err != nil {
		return err
	}
	if bytes.Equal(trusted.NextValidatorsHash, header.ValidatorsHash) {
		return nil
	}
	set, err := b.validators(ctx, height+1)
	if err != nil {
		return err
	}
	bundle.Trusted.Validators, err = verify.EncodeValidators(set)
	return err
}

func (b *bundler) validators(ctx context.Context, height int64) (*comet.ValidatorSet, error) {
	var all []*comet.Validator
	for page, perPage := 1, 100; ; page++ {
		answer, err := b.node.Validators(ctx, &height, &page, &perPage)
		if err != nil {
			return nil, fmt.Errorf("ask for the validators of height %d: %w", height, err)
		}
		all = append(all, answer.Validators...)
		if len(answer.Validators) == 0 || len(all) >= answer.Total {
			break
		}
	}
	set, err := comet.ValidatorSetFromExistingValidators(all)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNodeAnswer, err)
	}
	return set, nil
}
