// SPDX-License-Identifier: Apache-2.0

// Package domain_test holds the rule that keeps the domain packages pure.
package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	domainPath  = "github.com/gpucoord/gpucoord/domain"
	receiptPath = domainPath + "/receipt"
	anchorPath  = domainPath + "/anchor"
	mathPath    = "cosmossdk.io/math"
	secpPath    = "github.com/decred/dcrd/dcrec/secp256k1/v4"
	sha3Path    = "golang.org/x/crypto/sha3"
)

// goPackage is what `go list -json` says about a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// impure are standard packages that bring in the wall clock, chance, the outside world or floating-point mathematics.
var impure = []string{"math/rand", "math/rand/v2", "crypto/rand", "time", "os", "os/exec", "net", "net/http", "unsafe", "reflect", "sync", "math/cmplx", "log"}

// touchSources reads every source file, so that a cached result of this test is not used after one of them changed.
func touchSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func listDeps(t *testing.T) map[string]goPackage {
	t.Helper()
	touchSources(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &stderr)
	}
	packages := map[string]goPackage{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func inDomain(path string) bool { return path == domainPath || strings.HasPrefix(path, domainPath+"/") }

// testSupport says whether a package reads vectors for tests; no other package may import it.
func testSupport(path string) bool {
	return inDomain(path) && strings.Contains(path, "/domain/internal/")
}

// allowed says whether a domain package may import path, which is outside the standard library.
func allowed(importer, path string) bool {
	switch {
	case inDomain(path):
		return !testSupport(path)
	case path == mathPath:
		return true
	case importer == anchorPath:
		return path == sha3Path
	case importer == receiptPath:
		return path == secpPath || path == secpPath+"/ecdsa" || path == sha3Path
	}
	return false
}

// TestDependencies walks everything the domain packages depend on: outside the standard library and what the allowed packages bring
// with them, there is nothing.
func TestDependencies(t *testing.T) {
	packages := listDeps(t)
	seen := 0
	reached := map[string]bool{}
	var reach func(path string)
	reach = func(path string) {
		if reached[path] {
			return
		}
		reached[path] = true
		for _, i := range packages[path].Imports {
			reach(i)
		}
	}
	for path, p := range packages {
		if !inDomain(path) {
			continue
		}
		seen++
		reached[path] = true
		for _, i := range p.Imports {
			switch {
			case packages[i].Standard:
			case allowed(path, i):
				reach(i)
			default:
				t.Errorf("%s imports %s", path, i)
			}
			for _, bad := range impure {
				if i == bad && !testSupport(path) {
					t.Errorf("%s imports %s", path, i)
				}
			}
		}
	}
	if seen < 3 || !reached[secpPath] || !reached[sha3Path] {
		t.Fatalf("%d domain packages, secp256k1 %t, sha3 %t: the list is not what this test expects", seen, reached[secpPath], reached[sha3Path])
	}
	for path, p := range packages {
		if !p.Standard && !reached[path] {
			t.Errorf("the domain depends on %s", path)
		}
	}
}
