// SPDX-License-Identifier: Apache-2.0

// Package economicstest walks the lists of economics.json for the tests of the domain packages.
package economicstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// decimal is a 64-bit value, which the file holds as a string; no other string of the file has only digits and that few.
var decimal = regexp.MustCompile(`"([0-9]{1,20})"\s*([,}\]])`)

// Lists returns the lists of economics.json by name, with 64-bit values as JSON numbers. The file is looked for in
// $GPUCOORD_VECTORS, else two folders above the tested package.
func Lists(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	folder := os.Getenv("GPUCOORD_VECTORS")
	if folder == "" {
		folder = filepath.Join("..", "..", "testdata", "vectors")
	}
	data, err := os.ReadFile(filepath.Join(folder, "economics.json"))
	if err != nil {
		t.Fatalf("read the vectors: %v", err)
	}
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(decimal.ReplaceAll(data, []byte("$1$2")), &lists); err != nil {
		t.Fatalf("decode the vectors: %v", err)
	}
	return lists
}

// Walk calls f with the input of each vector of a list, and compares its error by the vector's name for it in names and
// its output exactly. An empty list, a field that In or Out lacks, and an error that names lacks fail the test.
func Walk[In, Out any](t *testing.T, list string, names map[string]error, f func(In) (Out, error)) {
	t.Helper()
	var vectors []struct {
		Name  string
		In    In
		Error string
		Out   *Out
	}
	decoder := json.NewDecoder(bytes.NewReader(Lists(t)[list]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&vectors); err != nil {
		t.Fatalf("decode list %s: %v", list, err)
	}
	if len(vectors) == 0 {
		t.Fatalf("list %s is empty", list)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			got, err := f(v.In)
			if v.Error != "OK" {
				want, known := names[v.Error]
				if !known {
					t.Fatalf("no sentinel for the error %s", v.Error)
				}
				if !errors.Is(err, want) {
					t.Fatalf("got error %v, want %v (%s)", err, want, v.Error)
				}
				return
			}
			if err != nil {
				t.Fatalf("got error %v, want none", err)
			}
			if v.Out == nil {
				t.Fatal("the vector has neither an error nor an output")
			}
			if !reflect.DeepEqual(got, *v.Out) {
				t.Fatalf("got  %+v\nwant %+v", got, *v.Out)
			}
		})
	}
}
