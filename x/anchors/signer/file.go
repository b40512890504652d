// SPDX-License-Identifier: Apache-2.0

package signer

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
	"strings"
	"sync"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// maxKeyFileBytes is more than any key file has.
const maxKeyFileBytes = 1 << 10

// File signs with a key file, and keeps what it signed last in a file beside it.
type File struct {
	key  *receipt.PrivateKey
	path string

	mu   sync.Mutex
	last map[[32]byte]record // by origin; what the files say, once they were read
}

// record is the last signed anchor of one origin.
type record struct {
	Nonce  uint64 `json:"nonce,string"`
	Digest string `json:"digest"`
}

// NewKeyFile makes a key at random and writes it to a new file that only its owner may read.
//
// Errors: a file that exists already, or can not be written.
func NewKeyFile(path string) (address [20]byte, err error) {
	key, err := randomKey()
	if err != nil {
		return address, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the caller's own file
	if err != nil {
		return address, fmt.Errorf("write the anchor key: %w", err)
	}
	raw := key.Key.Bytes()
	defer clear(raw[:])
	_, err = fmt.Fprintln(file, hex.EncodeToString(raw[:]))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return address, fmt.Errorf("write the anchor key: %w", err)
	}
	return receipt.KeyAddress(key), nil
}

func randomKey() (*receipt.PrivateKey, error) {
	for {
		var raw [32]byte
		if _, err := rand.Read(raw[:]); err != nil { //nolint:forbidigo // crypto/rand, for a key and not for the state machine
			return nil, fmt.Errorf("make an anchor key: %w", err)
		}
		if key, err := receipt.ParsePrivateKey(raw[:]); err == nil { // all but one of 2^127 are keys
			return key, nil
		}
	}
}

// Open reads a key file. Errors: ErrKeyFile, or a file that can not be read.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the anchor key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 || info.Size() > maxKeyFileBytes {
		return nil, fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("read the anchor key: %w", err)
	}
	defer clear(text)
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	defer clear(raw)
	key, err := receipt.ParsePrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	return &File{key: key, path: path, last: make(map[[32]byte]record)}, nil
}

// Address is the key's address.
func (f *File) Address() [20]byte { return receipt.KeyAddress(f.key) }

// SignDigest signs what is no anchor: the proof of possession.
func (f *File) SignDigest(digest [32]byte) [65]byte { return receipt.Sign(f.key, digest) }

// Sign implements Signer. The record is on disk before the signature is given away.
//
// Errors: ErrConflict, ErrRecord.
func (f *File) Sign(_ context.Context, request Request) ([65]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	digest := request.Digest()
	now := record{Nonce: request.Anchor.Nonce, Digest: hex.EncodeToString(digest[:])}
	last, err := f.lastSigned(request.Origin)
	if err != nil {
		return [65]byte{}, err
	}
	if now.Nonce < last.Nonce || (now.Nonce == last.Nonce && now.Digest != last.Digest) {
		return [65]byte{}, fmt.Errorf("%w: asked for nonce %d, signed %d", ErrConflict, now.Nonce, last.Nonce)
	}
	if now != last {
		if err := f.remember(request.Origin, now); err != nil {
			return [65]byte{}, err
		}
	}
	return receipt.Sign(f.key, digest), nil
}

// recordPath is the file of what was signed for one origin.
func (f *File) recordPath(origin [32]byte) string {
	return f.path + ".signed-" + hex.EncodeToString(origin[:8]) + ".json"
}

func (f *File) lastSigned(origin [32]byte) (record, error) {
	if last, ok := f.last[origin]; ok {
		return last, nil
	}
	raw, err := os.ReadFile(f.recordPath(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	var last record
	if err := json.Unmarshal(raw, &last); err != nil {
		return record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	f.last[origin] = last
	return last, nil
}

// remember writes the record so that a crash leaves either the old one or the new one.
func (f *File) remember(origin [32]byte, r record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	path := f.recordPath(origin)
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	_, err = file.Write(append(raw, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	f.last[origin] = r
	return nil
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the key's own directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
