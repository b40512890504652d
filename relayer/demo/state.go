// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bip39 "github.com/cosmos/go-bip39"

	"github.com/cosmos/cosmos-sdk/crypto/hd"

	"github.com/gpucoord/gpucoord/relayer/chain"
)

// stateFile says what a data directory holds; it is the last file that setting up writes whole.
const stateFile = "demo.json"

// ErrHome says that --home is not a demo's. The demo writes only into an empty directory or its own.
var ErrHome = errors.New("--home must be an empty directory or one that a demo has made")

// account is one account of the world. Its key is in the node's test keyring, under the same name, and in a key file.
type account struct {
	Address  string `json:"address"`
	Mnemonic string `json:"mnemonic"`
	hot      *chain.Account
}

// state is what demo.json holds: enough to start the same demo again.
type state struct {
	ChainID string `json:"chain_id"`
	// Ready says that setting up has finished; a directory without it is set up from the beginning.
	Ready    bool                `json:"ready"`
	Ports    portMap             `json:"ports"`
	Accounts map[string]*account `json:"accounts"`
	// APIKeys are the customers' keys at each gateway. Their money is simulated too.
	APIKeys map[string][]string `json:"api_keys"`
	// Contracts are those made on EVM chains of --evm-rpc, by chain id. Those on embedded chains go with them.
	Contracts map[string]string `json:"contracts,omitempty"`
	// Warning tells whoever opens the file.
	Warning string `json:"warning"`
	// URLs says where to look.
	URLs map[string]string `json:"urls"`
}

// home is a data directory.
type home struct {
	dir string
}

func (h home) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

// keyFile is the path of a key: accounts, receipt keys (host-…) and gateway keys (…-jobs).
func (h home) keyFile(name string) string { return h.path("keys", name) }

// openHome makes the directory, or reads what is in it. An unfinished one is emptied.
//
// Errors: ErrHome, or the file system's.
func openHome(dir string) (home, *state, error) {
	h := home{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return h, nil, fmt.Errorf("--home: %w", err)
	}
	raw, err := os.ReadFile(h.path(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return h, nil, fmt.Errorf("--home: %w", err)
		}
		if len(entries) != 0 {
			return h, nil, fmt.Errorf("%w: %s has no %s but holds %q", ErrHome, dir, stateFile, entries[0].Name())
		}
		return h, nil, nil
	}
	if err != nil {
		return h, nil, fmt.Errorf("--home: %w", err)
	}
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return h, nil, fmt.Errorf("%w: %s: %w", ErrHome, h.path(stateFile), err)
	}
	if s.Ready {
		return h, &s, s.loadKeys(h)
	}
	for _, name := range []string{"node", "keys", "data", "config", "logs"} {
		if err := os.RemoveAll(h.path(name)); err != nil {
			return h, nil, fmt.Errorf("empty an unfinished --home: %w", err)
		}
	}
	return h, nil, nil
}

// newState makes every key of the world and chooses the ports.
func newState(ctx context.Context, h home) (*state, error) {
	s := &state{
		ChainID: "gpucoord-demo-1", Accounts: make(map[string]*account), APIKeys: make(map[string][]string), URLs: make(map[string]string),
		Warning: "keys and mnemonics of a demonstration: they lie here open and have no value",
	}
	var err error
	if s.Ports, err = choosePorts(ctx); err != nil {
		return nil, err
	}
	if err := h.write(s); err != nil { // before anything else, so that the directory is known as a demo's
		return nil, err
	}
	if err := os.MkdirAll(h.path("keys"), 0o700); err != nil {
		return nil, fmt.Errorf("directory of the keys: %w", err)
	}
	for _, name := range accountNames() {
		if err := s.addAccount(h, name); err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
	}
	for _, name := range receiptKeyNames() {
		var key [32]byte
		if _, err := rand.Read(key[:]); err != nil {
			return nil, err
		}
		if err := chain.WriteKeyFile(h.keyFile(name), key); err != nil {
			return nil, err
		}
	}
	return s, h.writeTokens()
}

// accountNames lists the accounts of the genesis.
func accountNames() []string {
	names := append([]string{arbiter, sponsor}, authors...)
	for _, o := range operators {
		names = append(names, o.name, relayerOf(o.name))
	}
	for _, g := range gateways {
		names = append(names, g.name)
	}
	return names
}

// receiptKeyNames lists the keys that sign receipts and authorisations; none is an account's.
func receiptKeyNames() []string {
	names := []string{directCustomer}
	for _, o := range operators {
		names = append(names, hostOf(o.name))
	}
	for _, g := range gateways {
		names = append(names, jobKeyOf(g.name))
	}
	return names
}

// jobKeyOf names the key a gateway signs authorisations with.
func jobKeyOf(gateway string) string { return gateway + "-jobs" }

func (s *state) addAccount(h home, name string) error {
	entropy, err := bip39.NewEntropy(256)
	if err != nil {
		return err
	}
	mnemonic, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return err
	}
	raw, err := deriveKey(mnemonic)
	if err != nil {
		return err
	}
	if err := chain.WriteKeyFile(h.keyFile(name), raw); err != nil {
		return err
	}
	hot := chain.NewAccount(raw)
	s.Accounts[name] = &account{Address: hot.Bech32(), Mnemonic: mnemonic, hot: hot}
	return nil
}

// deriveKey derives the first account of a mnemonic, as every Cosmos wallet does.
func deriveKey(mnemonic string) ([32]byte, error) {
	raw, err := hd.Secp256k1.Derive()(mnemonic, "", hd.CreateHDPath(118, 0, 0).String())
	if err != nil || len(raw) != 32 {
		return [32]byte{}, fmt.Errorf("derive key (%d bytes): %w", len(raw), err)
	}
	return [32]byte(raw), nil
}

func (s *state) loadKeys(h home) error {
	for name, a := range s.Accounts {
		raw, err := chain.ReadKeyFile(h.keyFile(name))
		if err != nil {
			return err
		}
		a.hot = chain.NewAccount(raw)
	}
	for _, name := range accountNames() {
		if s.Accounts[name] == nil {
			return fmt.Errorf("%w: %s has no account %s", ErrHome, h.path(stateFile), name)
		}
	}
	return nil
}

// write replaces demo.json.
func (h home) write(s *state) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", stateFile, err)
	}
	temporary := h.path(stateFile + ".new")
	if err := os.WriteFile(temporary, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", stateFile, err)
	}
	return os.Rename(temporary, h.path(stateFile))
}

// writeTokens makes the tokens of the admin interfaces and the gateways' secrets.
func (h home) writeTokens() error {
	var names []string
	for _, o := range operators {
		names = append(names, hostOf(o.name)+"-token")
	}
	for _, g := range gateways {
		names = append(names, g.name+"-token", g.name+"-secret")
	}
	for _, name := range names {
		var token [32]byte
		if _, err := rand.Read(token[:]); err != nil {
			return err
		}
		if err := os.WriteFile(h.keyFile(name), []byte(hex.EncodeToString(token[:])+"\n"), 0o600); err != nil {
			return fmt.Errorf("write token: %w", err)
		}
	}
	return nil
}

// token reads a token.
func (h home) token(name string) (string, error) {
	raw, err := os.ReadFile(h.keyFile(name))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	return string(raw[:len(raw)-1]), nil
}
