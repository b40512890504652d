// SPDX-License-Identifier: Apache-2.0

// Package config reads the configuration files of the off-chain programs. A file is TOML; a key that no field knows is
// an error, so that a misspelt one cannot silently leave a default in force. Keys and tokens are never in it, only the
// paths of the files that hold them.
package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ErrFile says that a configuration file cannot be read. The text names the line and the key.
var ErrFile = errors.New("configuration file cannot be used; correct the line named here")

// Load reads the file at path over defaults: what the file does not name keeps its default. Lists are replaced whole.
//
// Errors: ErrFile for a key that T does not have or a value of the wrong kind, or the file system's.
func Load[T any](path string, defaults T) (T, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return defaults, fmt.Errorf("read configuration: %w", err)
	}
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := decoder.Decode(&defaults); err != nil {
		return defaults, fmt.Errorf("%w: %s: %s", ErrFile, path, explain(err))
	}
	return defaults, nil
}

// explain says where the fault is.
func explain(err error) string {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		return "unknown key\n" + unknown.String()
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		return bad.Error() + "\n" + bad.String()
	}
	return err.Error()
}

// Duration is a length of time written as "1s" or "500ms".
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as 500ms or 2s", text)
	}
	*d = Duration(v)
	return nil
}

// Std returns the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Hash is an id of 32 bytes, written as 64 hex digits.
type Hash [32]byte

// UnmarshalText reads 64 hex digits.
func (h *Hash) UnmarshalText(text []byte) error { return unhex(h[:], text) }

// String returns the id as lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Address is a key's address of 20 bytes, written as 40 hex digits.
type Address [20]byte

// UnmarshalText reads 40 hex digits.
func (a *Address) UnmarshalText(text []byte) error { return unhex(a[:], text) }

func unhex(dst, text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(dst) {
		return fmt.Errorf("%q is not %d hex digits", text, 2*len(dst))
	}
	copy(dst, raw)
	return nil
}
