// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// log holds the entries that are in no run yet, in frames: count u32 | CRC-32C u32 | entries 32 each. Each frame is on disk
// before the next one is written, so that only the last can be torn.
type log struct {
	file *os.File
	end  int64
}

const frameHead = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openLog opens or makes the log and takes every entry of its whole frames.
func openLog(path string, take func(Key, Place)) (*log, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	l := &log{file: file}
	raw, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("index: %w", err), file.Close())
	}
	for rest := raw; len(rest) >= frameHead; {
		size := int64(binary.BigEndian.Uint32(rest)) * entrySize
		if size > int64(len(rest)-frameHead) {
			break
		}
		body := rest[frameHead : frameHead+size]
		if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(rest[4:]) {
			break
		}
		for ; len(body) > 0; body = body[entrySize:] {
			take(entryOf(body))
		}
		l.end += frameHead + size
		rest = rest[frameHead+size:]
	}
	return l, nil
}

// append writes one frame. What failed half-way is written over by the next.
func (l *log) append(entries []Entry) error {
	b := make([]byte, frameHead, frameHead+len(entries)*entrySize)
	for i := range entries {
		b = entries[i].put(b)
	}
	binary.BigEndian.PutUint32(b, uint32(len(entries))) //nolint:gosec // what fits into memory by far
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[frameHead:], castagnoli))
	if _, err := l.file.WriteAt(b, l.end); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	l.end += int64(len(b))
	return nil
}

// reset empties the log.
func (l *log) reset() error {
	if err := errors.Join(l.file.Truncate(0), l.file.Sync()); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	l.end = 0
	return nil
}

// replace writes a file so that there is always either none or a whole one under its name.
func replace(path string, write func(*os.File) error) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already unless something failed
	if err := errors.Join(write(temp), temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
