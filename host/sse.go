// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
)

var errEventTooLarge = errors.New("engine sent an event larger than max_event_bytes")

// events reads server-sent events one by one; it never holds more than one event and a read buffer.
type events struct {
	r   *bufio.Reader
	buf []byte
	max int
}

// readers keeps the read buffers of streams that are over: one of 16 KiB for each stream would be most of what a stream allocates.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// newEvents reads from r; release ends it.
func newEvents(r io.Reader, maxEvent int) *events {
	buffered, ok := readers.Get().(*bufio.Reader)
	if !ok { // the pool holds nothing else
		buffered = bufio.NewReaderSize(nil, 16<<10)
	}
	buffered.Reset(r)
	return &events{r: buffered, max: maxEvent}
}

// release gives the read buffer back; what it held cannot be read any more, by the next stream either.
func (e *events) release() {
	e.r.Reset(nil)
	readers.Put(e.r)
	e.r = nil
}

// next returns the next event with its closing blank line; the bytes are valid until the next call. io.EOF means a clean end between
// two events, io.ErrUnexpectedEOF one inside an event.
func (e *events) next() ([]byte, error) {
	e.buf = e.buf[:0]
	for {
		start := len(e.buf)
		for {
			part, err := e.r.ReadSlice('\n')
			e.buf = append(e.buf, part...)
			if len(e.buf) > e.max {
				return nil, errEventTooLarge
			}
			if err == nil {
				break
			}
			if errors.Is(err, io.EOF) && len(e.buf) > 0 {
				return nil, io.ErrUnexpectedEOF
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return nil, err
			}
		}
		if line := bytes.TrimRight(e.buf[start:], "\r\n"); len(line) == 0 && start > 0 {
			return e.buf, nil
		} else if len(line) == 0 {
			e.buf = e.buf[:0]
		}
	}
}

// buffered reports whether the end of another event has arrived already, so that the last one need not be sent alone.
func (e *events) buffered() bool {
	b, err := e.r.Peek(e.r.Buffered())
	return err == nil && (bytes.Contains(b, []byte("\n\n")) || bytes.Contains(b, []byte("\n\r\n")))
}

// eventData returns the data of an event that has one data line, as the engines send; nil for a comment.
func eventData(event []byte) []byte {
	for len(event) > 0 {
		line, rest, _ := bytes.Cut(event, []byte("\n"))
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return bytes.TrimSpace(data)
		}
		event = rest
	}
	return nil
}
