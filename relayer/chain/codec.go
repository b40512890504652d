// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"fmt"

	"github.com/cosmos/gogoproto/proto"
)

// wireCodec carries gogoproto messages, whose custom Go types gRPC's own codec cannot read. It leaves every Any packed:
// the client never looks into one, so it needs no registry of types.
type wireCodec struct{}

// Name is the content subtype that nodes expect.
func (wireCodec) Name() string { return "proto" }

// Marshal encodes a message.
func (wireCodec) Marshal(v any) ([]byte, error) {
	msg, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("encode %T: no protobuf message", v)
	}
	return proto.Marshal(msg)
}

// Unmarshal decodes a message.
func (wireCodec) Unmarshal(data []byte, v any) error {
	msg, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("decode into %T: no protobuf message", v)
	}
	return proto.Unmarshal(data, msg)
}
