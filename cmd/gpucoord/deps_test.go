// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The node is a static binary without the off-chain daemons' dependencies: validators must not need a GPU driver, a C
// compiler or an EVM client.
func TestNodeDependencies(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}} {{len .CgoFiles}} {{with .Error}}{{.}}{{end}}", ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("go list without cgo: %v\n%s", err, out)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		packages++
		for _, banned := range []string{"github.com/ethereum/go-ethereum", "github.com/NVIDIA/go-nvml", "modernc.org/sqlite", "github.com/jackc/pgx"} {
			if path == banned || strings.HasPrefix(path, banned+"/") {
				t.Errorf("%s is a dependency of the node", path)
			}
		}
		if rest != "0" {
			t.Errorf("%s does not build without cgo: %s", path, rest)
		}
	}
	if packages < 100 {
		t.Errorf("go list named %d packages: it has not looked at the node", packages)
	}
}
