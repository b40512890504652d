// SPDX-License-Identifier: Apache-2.0

// Package sse reads server-sent events as inference engines send them: one data line an event, comments between.
package sse

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// ErrEventTooLarge means that an event is longer than the reader allows.
var ErrEventTooLarge = errors.New("event is longer than max_event_bytes")

// Reader reads events one by one and never holds more than one event and a read buffer.
type Reader struct {
	r   *bufio.Reader
	buf []byte
	max int
}

// NewReader returns a reader of events of at most maxEvent bytes.
func NewReader(r io.Reader, maxEvent int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 16<<10), max: maxEvent}
}

// Next returns the next event with its closing blank line, byte for byte; the bytes are valid until the next call.
//
// Errors: io.EOF at a clean end between two events, io.ErrUnexpectedEOF inside one, ErrEventTooLarge, or the source's.
func (e *Reader) Next() ([]byte, error) {
	e.buf = e.buf[:0]
	for {
		start := len(e.buf)
		if err := e.line(); err != nil {
			return nil, err
		}
		if len(bytes.TrimRight(e.buf[start:], "\r\n")) == 0 {
			return e.buf, nil // a blank line of its own is an event too: no byte is lost
		}
	}
}

// line appends one line to the buffer.
func (e *Reader) line() error {
	for {
		part, err := e.r.ReadSlice('\n')
		e.buf = append(e.buf, part...)
		switch {
		case len(e.buf) > e.max:
			return ErrEventTooLarge
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(e.buf) > 0:
			return io.ErrUnexpectedEOF
		default:
			return err
		}
	}
}

// Buffered reports whether more bytes have arrived already.
func (e *Reader) Buffered() bool { return e.r.Buffered() > 0 }

// Data returns the data of an event's first data line, nil if it has none.
func Data(event []byte) []byte {
	for len(event) > 0 {
		line, rest, _ := bytes.Cut(event, []byte("\n"))
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return bytes.TrimSpace(data)
		}
		event = rest
	}
	return nil
}

// Comment returns what follows prefix in the first comment line of an event that begins with it.
func Comment(event []byte, prefix string) (string, bool) {
	for len(event) > 0 {
		line, rest, _ := bytes.Cut(event, []byte("\n"))
		if value, ok := bytes.CutPrefix(line, []byte(prefix)); ok {
			return string(bytes.TrimSpace(value)), true
		}
		event = rest
	}
	return "", false
}

// Without returns a JSON object without a top-level member, all other bytes as they were; object itself if it has none.
func Without(object []byte, name string) []byte {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return object
	}
	for first := true; d.More(); first = false {
		start := d.InputOffset()
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return object
		}
		if key != name {
			continue
		}
		out := append([]byte(nil), object[:start]...)
		rest := object[d.InputOffset():]
		if first { // the comma that goes is the one after the member, else the one before it
			rest = bytes.TrimPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(","))
		}
		return append(out, rest...)
	}
	return object
}
