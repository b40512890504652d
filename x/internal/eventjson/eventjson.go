// SPDX-License-Identifier: Apache-2.0

// Package eventjson writes typed events as EmitTypedEvent does, byte for byte, without reflection. That takes most of the time of a
// message or a settlement whose event has many numbers. Each module tests its writers against the SDK.
package eventjson

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Event collects the fields of one event, which become its attributes: all of the message, in any order. Those of an inner message
// come in the order of their numbers, none left out.
type Event struct {
	buf    []byte
	depth  int
	fields []field
	err    error
}

// field is one attribute, whose value ends where the next begins.
type field struct {
	name  string
	start int
}

// New returns an event of no fields whose values will have about size bytes together.
func New(size int) *Event { return &Event{buf: make([]byte, 0, size)} }

// Emit emits the fields as the event that message would be. Nothing of message is read.
func (e *Event) Emit(ctx context.Context, message proto.Message) error {
	if e.err != nil {
		return e.err
	}
	text, end := string(e.buf), len(e.buf)
	attributes := make([]sdk.Attribute, len(e.fields))
	for i, f := range slices.Backward(e.fields) {
		attributes[i], end = sdk.Attribute{Key: f.name, Value: text[f.start:end]}, f.start
	}
	slices.SortFunc(attributes, func(a, b sdk.Attribute) int { return cmp.Compare(a.Key, b.Key) })
	sdk.UnwrapSDKContext(ctx).EventManager().EmitEvent(sdk.NewEvent(proto.MessageName(message), attributes...))
	return nil
}

// Uint64 writes a 64-bit integer, which JSON has as a string.
func (e *Event) Uint64(name string, value uint64) {
	e.name(name)
	e.buf = append(strconv.AppendUint(append(e.buf, '"'), value, 10), '"')
}

// Uint32 writes a 32-bit integer.
func (e *Event) Uint32(name string, value uint32) {
	e.name(name)
	e.buf = strconv.AppendUint(e.buf, uint64(value), 10)
}

// Uint32s writes a list of 32-bit integers.
func (e *Event) Uint32s(name string, values []uint32) {
	e.name(name)
	e.buf = append(e.buf, '[')
	for i, value := range values {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = strconv.AppendUint(e.buf, uint64(value), 10)
	}
	e.buf = append(e.buf, ']')
}

// Bool writes a boolean.
func (e *Event) Bool(name string, value bool) {
	e.name(name)
	e.buf = strconv.AppendBool(e.buf, value)
}

// Bytes writes base64; an unset field is null.
func (e *Event) Bytes(name string, value []byte) {
	e.name(name)
	if value == nil {
		e.buf = append(e.buf, "null"...)
		return
	}
	e.buf = append(base64.StdEncoding.AppendEncode(append(e.buf, '"'), value), '"')
}

// Text writes a string that somebody may have chosen, with all its escapes.
func (e *Event) Text(name, value string) {
	e.name(name)
	quoted, err := json.Marshal(value)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.buf = append(e.buf, quoted...)
}

// Plain writes a string that needs no escapes: an address, or the name of an enum's value.
func (e *Event) Plain(name, value string) {
	e.name(name)
	e.buf = append(append(append(e.buf, '"'), value...), '"')
}

// Object writes a message by its fields.
func (e *Event) Object(name string, fields func()) {
	e.name(name)
	e.object(fields)
}

// List writes n messages, each by its fields.
func (e *Event) List(name string, n int, fields func(i int)) {
	e.name(name)
	e.buf = append(e.buf, '[')
	for i := range n {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.object(func() { fields(i) })
	}
	e.buf = append(e.buf, ']')
}

func (e *Event) object(fields func()) {
	e.depth++
	e.buf = append(e.buf, '{')
	fields()
	e.buf = append(e.buf, '}')
	e.depth--
}

// name begins an attribute, or a field of an inner message, after a comma where it is not the first.
func (e *Event) name(name string) {
	if e.depth == 0 {
		e.fields = append(e.fields, field{name: name, start: len(e.buf)})
		return
	}
	if e.buf[len(e.buf)-1] != '{' {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(append(append(e.buf, '"'), name...), `":`...)
}
