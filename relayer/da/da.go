// SPDX-License-Identifier: Apache-2.0

// Package da keeps the records of batches in files named by their SHA-256.
//
// A file holds the SR1 records of all groups of one batch in order, each after its length as a big-endian u16. A batch
// names the file's hash, so that anyone can check what he was given and no one can change it.
package da

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Errors of DA files.
var (
	// ErrWrongHash says that a file does not hold what its name says. Restore it from a copy: samples cannot be opened without it.
	ErrWrongHash = errors.New("DA file does not have the hash in its name; restore it from a copy")
	// ErrBadFile says that the bytes are no DA file.
	ErrBadFile = errors.New("DA file is not a sequence of SR1 records, each after its length")
	// ErrBadRecord says that a record has a length that no SR1 record has.
	ErrBadRecord = errors.New("record is neither 533 nor 598 bytes")
)

// lengthSize is the size of a record's length.
const lengthSize = 2

// Encode returns the bytes of a DA file.
//
// Errors: ErrBadRecord.
func Encode(records [][]byte) ([]byte, error) {
	size := 0
	for _, r := range records {
		size += lengthSize + len(r)
	}
	out := make([]byte, 0, size)
	for _, r := range records {
		if len(r) != receipt.Size && len(r) != receipt.SizeCountersigned {
			return nil, fmt.Errorf("%w: %d", ErrBadRecord, len(r))
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(r))) //nolint:gosec // 533 or 598
		out = append(out, r...)
	}
	return out, nil
}

// Decode returns the records of a DA file; they alias its bytes.
//
// Errors: ErrBadFile.
func Decode(file []byte) ([][]byte, error) {
	records := make([][]byte, 0, len(file)/(lengthSize+receipt.Size))
	for len(file) > 0 {
		if len(file) < lengthSize {
			return nil, ErrBadFile
		}
		n := int(binary.BigEndian.Uint16(file))
		if n != receipt.Size && n != receipt.SizeCountersigned || len(file) < lengthSize+n {
			return nil, ErrBadFile
		}
		records = append(records, file[lengthSize:lengthSize+n])
		file = file[lengthSize+n:]
	}
	return records, nil
}

// Dir is a directory of DA files.
type Dir struct{ path string }

// OpenDir makes the directory if it is not there.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // the files are public
		return nil, fmt.Errorf("DA directory: %w", err)
	}
	return &Dir{path: path}, nil
}

// Path is where the file with a hash is.
func (d *Dir) Path(sum [32]byte) string { return filepath.Join(d.path, hex.EncodeToString(sum[:])) }

// Write stores the records and returns the file's hash. When it returns, the file is on disk whole, under its name.
func (d *Dir) Write(records [][]byte) ([32]byte, error) {
	var sum [32]byte
	file, err := Encode(records)
	if err != nil {
		return sum, err
	}
	sum = sha256.Sum256(file)
	if err := d.write(d.Path(sum), file); err != nil {
		return sum, fmt.Errorf("write DA file: %w", err)
	}
	return sum, nil
}

func (d *Dir) write(path string, file []byte) error {
	temp, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already unless something failed
	_, err = temp.Write(file)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil { //nolint:gosec // the files are public
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return d.sync()
}

// sync makes names in the directory durable.
func (d *Dir) sync() error {
	dir, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Read returns the records of the file with a hash.
//
// Errors: ErrWrongHash, ErrBadFile, or the file system's.
func (d *Dir) Read(sum [32]byte) ([][]byte, error) {
	file, err := os.ReadFile(d.Path(sum))
	if err != nil {
		return nil, fmt.Errorf("read DA file: %w", err)
	}
	if sha256.Sum256(file) != sum {
		return nil, fmt.Errorf("%w: %x", ErrWrongHash, sum)
	}
	return Decode(file)
}

// Has says whether the file with a hash is there.
func (d *Dir) Has(sum [32]byte) bool {
	_, err := os.Stat(d.Path(sum))
	return err == nil
}

// Remove deletes the file with a hash and the note of its pin, if they are there.
func (d *Dir) Remove(sum [32]byte) error {
	for _, path := range []string{d.Path(sum), d.pinPath(sum)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove DA file: %w", err)
		}
	}
	return nil
}
