// SPDX-License-Identifier: Apache-2.0

package signer

import "path/filepath"

// Settings are the section [anchor] of app.toml.
type Settings struct {
	// KeyFile is the key with which this validator signs anchors, relative to the node's home; empty for none.
	KeyFile string `mapstructure:"key_file"`
	// RemoteSigner is the socket of a signer, unix:///path; empty for none.
	RemoteSigner string `mapstructure:"remote_signer"`
	// Archive makes the node keep every leaf and hash of the log for proofs, also those that the state prunes.
	Archive bool `mapstructure:"archive"`
}

// New returns the signer that the settings name, or nil when they name none.
//
// Errors: ErrSettings; a key file that can not be used.
func New(home string, settings Settings) (Signer, error) {
	switch {
	case settings.KeyFile == "" && settings.RemoteSigner == "":
		return nil, nil //nolint:nilnil // a node without an anchor key
	case settings.KeyFile != "" && settings.RemoteSigner != "":
		return nil, ErrSettings
	case settings.RemoteSigner != "":
		return Dial(settings.RemoteSigner)
	}
	path := settings.KeyFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(home, path)
	}
	return Open(path)
}
