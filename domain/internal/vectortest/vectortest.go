// SPDX-License-Identifier: Apache-2.0

// Package vectortest reads the shared vector files for tests of the domain packages.
package vectortest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Folder returns where the vector files are: $GPUCOORD_VECTORS if set, else testdata/vectors of the repository, as seen from a package
// two folders below its root.
func Folder() string {
	if dir := os.Getenv("GPUCOORD_VECTORS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "vectors")
}

// Read decodes a whole vector file into v; a member that v does not know fails the test, so nothing in the file goes unread.
func Read(t testing.TB, name string, v any) {
	t.Helper()
	decode(t, name, v, true)
}

// ReadPart decodes the members of a vector file that v knows.
func ReadPart(t testing.TB, name string, v any) {
	t.Helper()
	decode(t, name, v, false)
}

func decode(t testing.TB, name string, v any, strict bool) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Folder(), name))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// All fails the test if list is empty and returns it.
func All[T any](t testing.TB, name string, list []T) []T {
	t.Helper()
	if len(list) == 0 {
		t.Fatalf("vector list %s is empty", name)
	}
	return list
}

// Bytes is lower-case hex of any length.
type Bytes []byte

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	decoded, err := hex.DecodeString(s)
	*b = decoded
	return err
}

// Hash is 32 bytes in hex.
type Hash [32]byte

// UnmarshalJSON implements json.Unmarshaler.
func (h *Hash) UnmarshalJSON(data []byte) error { return fill(h[:], data) }

// Address is 20 bytes in hex.
type Address [20]byte

// UnmarshalJSON implements json.Unmarshaler.
func (a *Address) UnmarshalJSON(data []byte) error { return fill(a[:], data) }

func fill(dst, data []byte) error {
	var b Bytes
	if err := b.UnmarshalJSON(data); err != nil {
		return err
	}
	if len(b) != len(dst) {
		return fmt.Errorf("%d bytes instead of %d", len(b), len(dst))
	}
	copy(dst, b)
	return nil
}

// Uint64 is a decimal string.
type Uint64 uint64

// UnmarshalJSON implements json.Unmarshaler.
func (u *Uint64) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	v, err := strconv.ParseUint(s, 10, 64)
	*u = Uint64(v)
	return err
}
