// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"cosmossdk.io/client/v2/autocli/flag"
	"cosmossdk.io/core/address"
)

const (
	// ourPackages starts the names of this chain's messages.
	ourPackages = "gpucoord."
	// accountScalar marks a field of bytes as an account's address, in its (cosmos_proto.scalar).
	accountScalar = "cosmos.AddressBytes"
)

// errBytes says that a text stands for no bytes.
var errBytes = errors.New("bytes are given in hex, as they are printed, or in base64; accounts in bech32")

// bytesForm turns the base64 that proto JSON has for bytes into what people pass around, and back: ids, hashes, keys and
// signatures in lower-case hex without prefix, accounts in bech32. It goes by the messages' descriptors, so a new field
// needs no work here; only an account that is a field of bytes has to be marked as accountScalar.
type bytesForm struct {
	files    protodesc.Resolver
	accounts address.Codec
}

// print returns a value of a message with the bytes of this chain's messages, and of pages, in their printed form.
func (f bytesForm) print(d protoreflect.MessageDescriptor, value any) any {
	return f.message(d, value, f.printField)
}

// parse returns a value of a message with all bytes in base64.
//
// Errors: errBytes with the field's name.
func (f bytesForm) parse(d protoreflect.MessageDescriptor, value any) (any, error) {
	var failed error
	out := f.message(d, value, func(field protoreflect.FieldDescriptor, text string) string {
		raw, err := f.read(text)
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %q: %w", field.Name(), text, err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	})
	return out, failed
}

// message walks a value along its descriptor and replaces the texts of its fields of bytes.
func (f bytesForm) message(d protoreflect.MessageDescriptor, value any, replace func(protoreflect.FieldDescriptor, string) string) any {
	members, ok := value.(object)
	if !ok {
		return value
	}
	out := make(object, len(members))
	for i, m := range members {
		field := d.Fields().ByName(protoreflect.Name(m.name))
		if field == nil {
			field = d.Fields().ByJSONName(m.name)
		}
		if field != nil {
			m.value = f.field(field, m.value, replace)
		}
		out[i] = m
	}
	return out
}

func (f bytesForm) field(field protoreflect.FieldDescriptor, value any, replace func(protoreflect.FieldDescriptor, string) string) any {
	if list, ok := value.([]any); ok {
		out := make([]any, len(list))
		for i := range list {
			out[i] = f.field(field, list[i], replace)
		}
		return out
	}
	switch field.Kind() {
	case protoreflect.BytesKind:
		if text, ok := value.(string); ok {
			return replace(field, text)
		}
	case protoreflect.MessageKind:
		if field.Message().FullName() == "google.protobuf.Any" {
			return f.printAny(value)
		}
		return f.message(field.Message(), value, replace)
	}
	return value
}

// printAny prints a value of unknown type: messages that name theirs, and typed events.
func (f bytesForm) printAny(value any) any {
	switch value := value.(type) {
	case []any:
		out := make([]any, len(value))
		for i := range value {
			out[i] = f.printAny(value[i])
		}
		return out
	case object:
		if name, ok := value.get("@type").(string); ok {
			if d := f.find(strings.TrimPrefix(name, "/")); d != nil {
				return f.print(d, value)
			}
		}
		if name, ok := value.get("type").(string); ok {
			if d := f.find(name); d != nil {
				return f.printEvent(d, value)
			}
		}
		out := make(object, len(value))
		for i, m := range value {
			out[i] = member{name: m.name, value: f.printAny(m.value)}
		}
		return out
	default:
		return value
	}
}

// printEvent prints a typed event, whose attributes are its fields in JSON.
func (f bytesForm) printEvent(d protoreflect.MessageDescriptor, event object) any {
	list, ok := event.get("attributes").([]any)
	if !ok {
		return event
	}
	attributes := make([]any, len(list))
	for i := range list {
		attributes[i] = f.printAttribute(d, list[i])
	}
	out := append(object(nil), event...)
	for i := range out {
		if out[i].name == "attributes" {
			out[i].value = attributes
		}
	}
	return out
}

func (f bytesForm) printAttribute(d protoreflect.MessageDescriptor, value any) any {
	attribute, ok := value.(object)
	name, _ := attribute.get("key").(string)
	field := d.Fields().ByName(protoreflect.Name(name))
	text, isText := attribute.get("value").(string)
	if !ok || field == nil || !isText {
		return value
	}
	inner, err := decodeJSON([]byte(text))
	if err != nil {
		return value
	}
	raw, err := encodeJSON(f.field(field, inner, f.printField), "")
	if err != nil {
		return value
	}
	out := append(object(nil), attribute...)
	for i := range out {
		if out[i].name == "value" {
			out[i].value = string(raw)
		}
	}
	return out
}

// printField prints one value of a field; what is not base64 stays as it is.
func (f bytesForm) printField(field protoreflect.FieldDescriptor, text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return text
	}
	if scalar, ok := flag.GetScalarType(field); ok && scalar == accountScalar && len(raw) > 0 {
		if account, err := f.accounts.BytesToString(raw); err == nil {
			return account
		}
	}
	return hex.EncodeToString(raw)
}

// read reads bytes as they are printed, or as proto JSON has them. Hex may begin with 0x: every digit of it is one of base64 too, so a
// signature as other tools print it would be taken for other bytes.
func (f bytesForm) read(text string) ([]byte, error) {
	digits, _ := strings.CutPrefix(text, "0x")
	if raw, err := hex.DecodeString(digits); err == nil {
		return raw, nil
	}
	if raw, err := f.accounts.StringToBytes(text); err == nil {
		return raw, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errBytes
	}
	return raw, nil
}

// find finds one of this chain's messages; nil when the name is not of one.
func (f bytesForm) find(name string) protoreflect.MessageDescriptor {
	if !strings.HasPrefix(name, ourPackages) {
		return nil
	}
	d, err := f.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil
	}
	message, _ := d.(protoreflect.MessageDescriptor)
	return message
}
