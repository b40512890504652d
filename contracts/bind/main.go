// SPDX-License-Identifier: Apache-2.0

// Command bind writes the Go binding of ReceiptAnchor from its committed ABI and bytecode, as `abigen --v2` would; that command does
// not build from this module, its library does.
//
//	go run ./contracts/bind contracts/artifacts contracts/receiptanchor/receiptanchor.go
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi/abigen"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bind ARTIFACTS OUT.go")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bind:", err)
		os.Exit(1)
	}
}

func run(artifacts, out string) error {
	abi, err := os.ReadFile(filepath.Join(artifacts, "ReceiptAnchor.abi.json"))
	if err != nil {
		return err
	}
	bin, err := os.ReadFile(filepath.Join(artifacts, "ReceiptAnchor.bin"))
	if err != nil {
		return err
	}
	names, abis, bins := []string{"ReceiptAnchor"}, []string{string(abi)}, []string{strings.TrimSpace(string(bin))}
	code, err := abigen.BindV2(names, abis, bins, "receiptanchor", map[string]string{}, map[string]string{})
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(code), 0o644)
}
