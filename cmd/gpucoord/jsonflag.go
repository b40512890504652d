// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"cosmossdk.io/client/v2/autocli/flag"
)

// messageFlag is an argument or flag that holds one of this chain's messages, as JSON or as the name of a .json file. It
// takes bytes as queries print them.
type messageFlag struct {
	form bytesForm
	desc protoreflect.MessageDescriptor
}

// NewValue implements flag.Type.
func (t messageFlag) NewValue(_ *context.Context, builder *flag.Builder) flag.Value {
	typ, err := builder.TypeResolver.FindMessageByName(t.desc.FullName())
	if err != nil { // a message of the old protobuf library
		typ = dynamicpb.NewMessageType(t.desc)
	}
	return &messageValue{messageFlag: t, builder: builder, typ: typ}
}

// DefaultValue implements flag.Type.
func (messageFlag) DefaultValue() string { return "" }

type messageValue struct {
	messageFlag

	builder *flag.Builder
	typ     protoreflect.MessageType
	text    string
	message proto.Message
}

// Set implements pflag.Value.
//
// Errors: errNotJSON, errBytes, the file system's, or protojson's.
func (v *messageValue) Set(text string) error {
	raw := []byte(text)
	if strings.HasSuffix(text, ".json") {
		var err error
		if raw, err = os.ReadFile(text); err != nil {
			return err
		}
	}
	tree, err := decodeJSON(raw)
	if err != nil {
		return err
	}
	if tree, err = v.form.parse(v.desc, tree); err != nil {
		return err
	}
	if raw, err = encodeJSON(tree, ""); err != nil {
		return err
	}
	message := v.typ.New().Interface()
	if err := (protojson.UnmarshalOptions{Resolver: v.builder.TypeResolver}).Unmarshal(raw, message); err != nil {
		return err
	}
	v.text, v.message = text, message
	return nil
}

// Get implements flag.Value.
func (v *messageValue) Get(protoreflect.Value) (protoreflect.Value, error) {
	if v.message == nil {
		return protoreflect.Value{}, nil
	}
	return protoreflect.ValueOfMessage(v.message.ProtoReflect()), nil
}

// String implements pflag.Value.
func (v *messageValue) String() string { return v.text }

// Type implements pflag.Value.
func (v *messageValue) Type() string { return fmt.Sprintf("%s (json)", v.desc.FullName()) }
