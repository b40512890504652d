// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	dcrsecp256k1 "github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/types/bech32"
)

// Bech32Prefix is the prefix of every gpucoord account.
const Bech32Prefix = "gpucoord"

// ErrKeyFile says that a key file cannot be used. It holds one secp256k1 key as 64 hex digits and only its owner may read it.
var ErrKeyFile = errors.New("key file must hold 64 hex digits and be readable by its owner alone (chmod 600)")

// Account is a hot account that signs transactions.
type Account struct {
	key     *secp256k1.PrivKey
	address []byte
}

// LoadAccount reads an account's key from a file.
//
// Errors: ErrKeyFile, or the file system's.
func LoadAccount(path string) (*Account, error) {
	raw, err := ReadKeyFile(path)
	if err != nil {
		return nil, err
	}
	return NewAccount(raw), nil
}

// NewAccount makes an account of a 32-byte secp256k1 key.
func NewAccount(raw [32]byte) *Account {
	key := &secp256k1.PrivKey{Key: raw[:]}
	return &Account{key: key, address: key.PubKey().Address()}
}

// ReadKeyFile reads a 32-byte key from a file that only its owner may read.
//
// Errors: ErrKeyFile, or the file system's.
func ReadKeyFile(path string) ([32]byte, error) {
	var key [32]byte
	info, err := os.Stat(path)
	if err != nil {
		return key, fmt.Errorf("read key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 || info.Size() > 128 {
		return key, fmt.Errorf("%w: %s has mode %o", ErrKeyFile, path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key, fmt.Errorf("read key: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(key) {
		return key, fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	copy(key[:], raw)
	return key, nil
}

// WriteKeyFile writes a new key to path with mode 600. It refuses to replace a file.
func WriteKeyFile(path string, key [32]byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key[:]) + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// Address is the account's 20-byte address.
func (a *Account) Address() []byte { return a.address }

// Bech32 is the account's address as text.
func (a *Account) Bech32() string { return Bech32(a.address) }

// Bech32 writes a 20-byte address as text.
func Bech32(address []byte) string {
	text, err := bech32.ConvertAndEncode(Bech32Prefix, address)
	if err != nil {
		panic("bech32 refuses " + Bech32Prefix + ": " + err.Error()) // only a prefix or charset fault of this file
	}
	return text
}

// ParseBech32 reads a 20-byte address.
func ParseBech32(text string) ([20]byte, error) {
	var out [20]byte
	prefix, raw, err := bech32.DecodeAndConvert(text)
	if err != nil {
		return out, fmt.Errorf("address %q: %w", text, err)
	}
	if prefix != Bech32Prefix || len(raw) != len(out) {
		return out, fmt.Errorf("address %q is not a 20-byte %s address", text, Bech32Prefix)
	}
	copy(out[:], raw)
	return out, nil
}

// NewKey makes a random secp256k1 key.
//
// Errors: those of the system's random numbers.
func NewKey() ([32]byte, error) {
	key, err := dcrsecp256k1.GeneratePrivateKey()
	if err != nil {
		return [32]byte{}, fmt.Errorf("make a key: %w", err)
	}
	return key.Key.Bytes(), nil
}
