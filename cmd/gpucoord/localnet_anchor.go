// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/x/anchors/signer"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// Anchors of a local network come fast, so that a demonstration shows them.
const (
	localAnchorKeyFile = "config/anchor_key"

	localAnchorInterval = 5  // blocks
	localAnchorRotation = 10 // blocks
)

// makeAnchorKey writes the validator's anchor key into its home, where the settings of writeSettings look for it.
func (n *localnet) makeAnchorKey() error {
	address, err := signer.NewKeyFile(filepath.Join(n.opts.home, filepath.FromSlash(localAnchorKeyFile)))
	n.anchorKey = address
	return err
}

// setAnchors registers the key, so that the chain anchors from its first block on.
func (n *localnet) setAnchors(state app.GenesisState) error {
	cdc := n.wiring.Encoding().Codec
	var anchors anchorstypes.GenesisState
	if err := cdc.UnmarshalJSON(state[anchorstypes.ModuleName], &anchors); err != nil {
		return fmt.Errorf("default anchors state: %w", err)
	}
	anchors.Params.IntervalBlocks, anchors.Params.AnchorTimeoutBlocks = localAnchorInterval, localAnchorInterval
	anchors.Params.KeyRotationBlocks = localAnchorRotation
	anchors.Keys = []anchorstypes.AnchorKey{{Validator: sdk.ValAddress(n.validator.address).String(), Address: n.anchorKey[:]}}
	var err error
	if state[anchorstypes.ModuleName], err = cdc.MarshalJSON(&anchors); err != nil {
		return fmt.Errorf("encode anchors state: %w", err)
	}
	return nil
}
