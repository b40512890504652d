// SPDX-License-Identifier: Apache-2.0

package sse_test

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/gpucoord/gpucoord/gateway/sse"
)

func TestEventsComeWholeAndInOrder(t *testing.T) {
	const text = "data: {\"a\":1}\n\n: ping\n\n\ndata:b\r\n\r\nevent: x\ndata: c\ndata: d\n\n"
	want := []string{"data: {\"a\":1}\n\n", ": ping\n\n", "\n", "data:b\r\n\r\n", "event: x\ndata: c\ndata: d\n\n"}
	data := []string{`{"a":1}`, "", "", "b", "c"}
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text))} {
		in := sse.NewReader(r, 100)
		for i, event := range want {
			got, err := in.Next()
			if err != nil || string(got) != event || string(sse.Data(got)) != data[i] {
				t.Fatalf("%s, event %d: got %q with data %q, %v", name, i, got, sse.Data(got), err)
			}
		}
		if _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("%s: end: got %v", name, err)
		}
	}
}

func TestFaultsOfAStream(t *testing.T) {
	for text, want := range map[string]error{
		"data: torn":   io.ErrUnexpectedEOF,
		"data: torn\n": io.ErrUnexpectedEOF,
		"data: " + strings.Repeat("x", 100) + "\n\n":          sse.ErrEventTooLarge,
		strings.Repeat("data: x\n", 20) + "\n":                sse.ErrEventTooLarge,
		"data: " + strings.Repeat("x", 1<<20) + "\n\ndata: a": sse.ErrEventTooLarge,
	} {
		if _, err := sse.NewReader(strings.NewReader(text), 100).Next(); !errors.Is(err, want) {
			t.Errorf("%.20q: got %v, want %v", text, err, want)
		}
	}
}

func TestComment(t *testing.T) {
	if got, ok := sse.Comment([]byte(": receipt abc \r\n\n"), ": receipt "); !ok || got != "abc" {
		t.Errorf("got %q, %v", got, ok)
	}
	if _, ok := sse.Comment([]byte("data: : receipt abc\n\n"), ": receipt "); ok {
		t.Error("found a comment in data")
	}
}

// TestWithoutTakesOneMemberOut compares with decoding the object.
func TestWithoutTakesOneMemberOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOf(rapid.SampledFrom([]string{"usage", "id", "choices", "x"}), rapid.SampledFrom([]any{
			nil, 1.0, `say "usage": 1`, []any{}, map[string]any{"usage": 1.0},
		})).Draw(t, "object")
		indent := rapid.SampledFrom([]string{"", " "}).Draw(t, "indent")
		text, err := json.MarshalIndent(object, "", indent)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(sse.Without(text, "usage"), &got); err != nil {
			t.Fatalf("%s became no JSON: %v", text, err)
		}
		delete(object, "usage")
		if len(object) > 0 && !reflect.DeepEqual(got, object) || len(got) != len(object) {
			t.Fatalf("got %v, want %v", got, object)
		}
	})
	for _, text := range []string{"", "[1]", "{", `{"usage":`, "null"} {
		if got := string(sse.Without([]byte(text), "usage")); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
