// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReadTrace(t *testing.T) {
	const head = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	tests := []struct {
		name  string
		text  string
		limit int
		want  []Request
		err   error
	}{
		{
			name: "two rows",
			text: head + "2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n",
			want: []Request{
				{ContextTokens: 374, GeneratedTokens: 44},
				{At: 4_314_579 * time.Microsecond, ContextTokens: 396, GeneratedTokens: 109},
			},
		},
		{name: "limit", text: head + "2023-11-16 18:15:46,374,44\nnonsense\n", limit: 1, want: []Request{{ContextTokens: 374, GeneratedTokens: 44}}},
		{
			name: "carriage returns, byte order mark and empty lines",
			text: "\ufeffTIMESTAMP,ContextTokens,GeneratedTokens\r\n\r\n2023-11-16 18:15:46,1,131072\r\n",
			want: []Request{{ContextTokens: 1, GeneratedTokens: 131_072}},
		},
		{name: "nothing", text: "", err: ErrTraceHeader},
		{name: "other header", text: "a,b,c\n1,2,3\n", err: ErrTraceHeader},
		{name: "no rows", text: head, err: ErrTraceEmpty},
		{name: "two fields", text: head + "2023-11-16 18:15:46,374\n", err: ErrTraceRow},
		{name: "four fields", text: head + "2023-11-16 18:15:46,374,1,1\n", err: ErrTraceRow},
		{name: "bad time", text: head + "16.11.2023 18:15,374,44\n", err: ErrTraceRow},
		{name: "negative", text: head + "2023-11-16 18:15:46,-1,44\n", err: ErrTraceRow},
		{name: "fraction", text: head + "2023-11-16 18:15:46,1.5,44\n", err: ErrTraceRow},
		{name: "zero", text: head + "2023-11-16 18:15:46,374,0\n", err: ErrTraceTokens},
		{name: "too many tokens", text: head + "2023-11-16 18:15:46,131073,1\n", err: ErrTraceTokens},
		{name: "overflow", text: head + "2023-11-16 18:15:46,18446744073709551616,1\n", err: ErrTraceRow},
		{name: "falling times", text: head + "2023-11-16 18:15:46,1,1\n2023-11-16 18:15:45,1,1\n", err: ErrTraceOrder},
		{name: "endless line", text: head + strings.Repeat("1", 300) + "\n", err: ErrTraceLine},
		{name: "endless header", text: strings.Repeat("x", 300), err: ErrTraceLine},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ReadTrace(strings.NewReader(tc.text), tc.limit)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error: got %v, want %v", err, tc.err)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n", uint8(3))
	f.Add("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n2023-11-16 18:15:47,9,9\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, most uint8) {
		limit := int(most)
		got, err := ReadTrace(strings.NewReader(text), limit)
		if err != nil {
			return
		}
		if len(got) == 0 || limit > 0 && len(got) > limit {
			t.Fatalf("%d requests with limit %d", len(got), limit)
		}
		for i, r := range got {
			if r.ContextTokens == 0 || r.GeneratedTokens == 0 || i > 0 && r.At < got[i-1].At {
				t.Fatalf("request %d: %+v", i, r)
			}
		}
	})
}

func TestBuiltinTraceIsTheSameEveryTime(t *testing.T) {
	a, b := builtinTrace(40), builtinTrace(60)
	if !reflect.DeepEqual(a, b[:40]) {
		t.Error("the first 40 requests depend on how many are asked for")
	}
	for i, r := range b {
		if r.ContextTokens == 0 || r.GeneratedTokens == 0 || i > 0 && r.At < b[i-1].At {
			t.Fatalf("request %d: %+v", i, r)
		}
	}
}
