// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/verify"
)

const trustedHeader = "12:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func TestVerifyReceiptFlags(t *testing.T) {
	file := write(t, "bundle.json", "{}")
	for _, c := range []struct {
		name string
		args []string
		want error
	}{
		{"no hash", []string{"--trust", "12"}, errTrust},
		{"no height", []string{"--trust", ":00"}, errTrust},
		{"short hash", []string{"--trust", "12:0011"}, errTrust},
		{"height below one", []string{"--trust", "-1" + trustedHeader[2:]}, errTrust},
		{"period", []string{"--trust", trustedHeader, "--trusting-period", "0s"}, errPeriod},
		{"unknown check", []string{"--trust", trustedHeader, "--skip", "evn"}, errSkip},
		{"EVM node alone", []string{"--trust", trustedHeader, "--evm", "http://127.0.0.1:1"}, errContract},
		{"contract alone", []string{"--trust", trustedHeader, "--contract", "0x" + strings.Repeat("00", 20)}, errContract},
		{"EVM node by file", []string{"--trust", trustedHeader, "--evm", "file:///x", "--contract", strings.Repeat("00", 20)}, errContract},
	} {
		_, err := gpucoord(t, append([]string{"verify", "receipt", file}, c.args...)...)
		if !errors.Is(err, c.want) || exitCode(err) != 1 {
			t.Errorf("%s: exit %d, %v", c.name, exitCode(err), err)
		}
	}
}

// What is no bundle fails by name, however large, and writes nothing.
func TestVerifyReceiptOfNoBundle(t *testing.T) {
	for name, text := range map[string]string{
		"BUNDLE_MALFORMED": `{"format":"other"}`,
		"BUNDLE_TOO_LARGE": strings.Repeat(" ", 10<<20),
	} {
		out, err := gpucoord(t, "verify", "receipt", write(t, "bundle.json", text), "--trust", trustedHeader)
		if exitCode(err) != 1 || !strings.Contains(out, "FAIL         bundle            "+name) || strings.Contains(out, "PASS") {
			t.Errorf("%s: exit %d, %v\n%s", name, exitCode(err), err, out)
		}
	}
	if _, err := gpucoord(t, "verify", "receipt", "there-is-none", "--trust", trustedHeader); exitCode(err) != 1 {
		t.Errorf("no file: %v", err)
	}
}

func TestReadBundleStops(t *testing.T) {
	text, err := readBundle(write(t, "big", strings.Repeat("x", verify.MaxBytes*3)))
	if err != nil || len(text) != verify.MaxBytes+1 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{1: errTrust, 2: &exitError{code: 2, why: "not all"}} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: exit %d, want %d", err, got, want)
		}
	}
	if !bytes.Contains([]byte((&exitError{why: "not all"}).Error()), []byte("not all")) {
		t.Error("the reason is lost")
	}
}
