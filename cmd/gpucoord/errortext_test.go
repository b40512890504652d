// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestErrorsAreShownWithoutInternals(t *testing.T) {
	for text, want := range map[string]string{
		"rpc error: code = NotFound desc = rpc error: code = NotFound desc = epoch 9: no settlement":    "epoch 9: no settlement",
		"0uusdc accrued: wait [gpucoord/gpucoord/x/royalties/keeper/accrual.go:102] with gas used: '3'": "0uusdc accrued: wait with gas used: '3'",
		`invalid argument "x" for "--1" flag: invalid syntax`:                                           `invalid argument "x" for argument 2: invalid syntax`,
		`invalid argument "x" for "--gas" flag`:                                                         `invalid argument "x" for "--gas" flag`,
		"models [a b]":                                                                                  "models [a b]",
	} {
		if got := errorText(errors.New(text)); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestWrongNumberOfArgumentsNamesThem(t *testing.T) {
	for _, tc := range []struct{ line, usage string }{
		{"anchors key new", "gpucoord anchors key new FILE"},
		{"verify receipt --trust x", "gpucoord verify receipt"},
		{"query anchors inclusion 0", "gpucoord query anchors inclusion [index]"},
	} {
		_, err := gpucoord(t, append(strings.Fields(tc.line), "--home", t.TempDir())...)
		if err == nil || !strings.Contains(err.Error(), "usage: "+tc.usage) {
			t.Errorf("%s: got %v, want the usage %q", tc.line, err, tc.usage)
		}
	}
}

func TestStartMakesNoHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "mistyped")
	_, err := gpucoord(t, "start", "--home", home)
	if !errors.Is(err, errNoNodeHome) || !strings.Contains(err.Error(), home) {
		t.Errorf("got %v, want %s and %v", err, home, errNoNodeHome)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the home was made (%v)", err)
	}
	t.Setenv("GPUCOORD_HOME", home)
	if _, err := gpucoord(t, "start"); !errors.Is(err, errNoNodeHome) || !strings.Contains(err.Error(), home) {
		t.Errorf("from the environment: got %v", err)
	}
}
