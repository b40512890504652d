// SPDX-License-Identifier: Apache-2.0

package da

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Reader gives the records of a DA file one after the other, so that a large file never is in memory whole.
type Reader struct {
	file *os.File
	from *bufio.Reader
}

// Open opens the file with a hash. Its bytes are not compared with the hash: what Write and Fetch leave has it.
func (d *Dir) Open(sum [32]byte) (*Reader, error) {
	file, err := os.Open(d.Path(sum))
	if err != nil {
		return nil, fmt.Errorf("read DA file: %w", err)
	}
	return &Reader{file: file, from: bufio.NewReaderSize(file, 1<<16)}, nil
}

// Next appends the next record to dst and returns it.
//
// Errors: io.EOF behind the last record, ErrBadFile, or the file system's.
func (r *Reader) Next(dst []byte) ([]byte, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(r.from, length[:]); errors.Is(err, io.EOF) {
		return nil, io.EOF
	} else if err != nil {
		return nil, badIfShort(err)
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n != receipt.Size && n != receipt.SizeCountersigned {
		return nil, ErrBadFile
	}
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	if _, err := io.ReadFull(r.from, dst[at:]); err != nil {
		return nil, badIfShort(err)
	}
	return dst, nil
}

// Skip passes over n records. Errors: as Next.
func (r *Reader) Skip(n uint64) error {
	buffer := make([]byte, 0, receipt.SizeCountersigned)
	for range n {
		if _, err := r.Next(buffer); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

func badIfShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrBadFile
	}
	return fmt.Errorf("read DA file: %w", err)
}
