// SPDX-License-Identifier: Apache-2.0

package main

import (
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/gpucoord/gpucoord/x/anchors/signer"
)

// nodeSettings are the values of app.toml: the SDK's, and the section of anchors.
type nodeSettings struct {
	serverconfig.Config `mapstructure:",squash"`

	Anchor signer.Settings `mapstructure:"anchor"`
}

// anchorTemplate is that section.
const anchorTemplate = `
###############################################################################
###                                 Anchors                                 ###
###############################################################################

[anchor]

# The key with which this validator signs anchors, relative to the home: "gpucoord anchors key new FILE" makes one. Empty: no signature.
key_file = "{{ .Anchor.KeyFile }}"

# Or the socket of a signer that holds the key: "unix:///path". It has a second to answer; a vote never waits longer.
remote_signer = "{{ .Anchor.RemoteSigner }}"

# Keep every leaf and hash of the log in data/anchor_archive.db, so that this node proves also what the state has pruned.
archive = {{ .Anchor.Archive }}
`
