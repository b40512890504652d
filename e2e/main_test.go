// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e_test drives the built binaries. Everything runs on the loopback address, in directories of its own.
//
// Build first (make build); the tests look in ../build, or where $GPUCOORD_BUILD says.
package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/relayer/demo"
)

// binaries are the programs under test.
var binaries struct{ node, relayer string }

// shared is one world that several tests use, started by the first that asks.
var shared struct {
	once  sync.Once
	world *demo.World
	err   error
	dir   string
}

func TestMain(m *testing.M) {
	dir := os.Getenv("GPUCOORD_BUILD")
	if dir == "" {
		dir = filepath.Join("..", "build")
	}
	for name, path := range map[string]*string{"gpucoord": &binaries.node, "gpucoord-relayer": &binaries.relayer} {
		found, err := exec.LookPath(filepath.Join(dir, name))
		if err == nil {
			found, err = filepath.Abs(found)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s is not built; run: make build (%v)\n", name, err)
			os.Exit(1)
		}
		*path = found
	}
	status := m.Run()
	if shared.world != nil {
		if err := shared.world.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close the shared world:", err)
			status = 1
		}
	}
	switch {
	case shared.dir == "":
	case status == 0:
		_ = os.RemoveAll(shared.dir) // what is left lies under the system's temporary directory
	default:
		fmt.Fprintln(os.Stderr, "logs of the shared world:", filepath.Join(shared.dir, "logs"))
	}
	os.Exit(status)
}

// sharedWorld returns the world that tests share.
func sharedWorld(t *testing.T) *demo.World {
	t.Helper()
	shared.once.Do(func() {
		shared.dir, shared.err = os.MkdirTemp("", "gpucoord-e2e-")
		if shared.err != nil {
			return
		}
		opts := demo.DefaultOptions()
		opts.Home, opts.Node, opts.Relayer, opts.Progress = shared.dir, binaries.node, binaries.relayer, os.Stderr
		opts.NoEVM = true // TestAnchorsReachTwoEVMChains has two

		shared.world, shared.err = demo.Open(context.Background(), opts) // as does the world
	})
	if shared.err != nil {
		t.Fatalf("start the shared world: %v", shared.err)
	}
	return shared.world
}

// program is a running demo binary.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	mu             sync.Mutex
	done           chan error
}

// lockedWriter lets the test read what the program has written so far.
type lockedWriter struct {
	mu  *sync.Mutex
	out *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// startDemo starts gpucoord-relayer demo; the test's end ends it.
func startDemo(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{done: make(chan error, 1)}
	p.cmd = exec.CommandContext(context.Background(), binaries.relayer, append([]string{"demo"}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = lockedWriter{&p.mu, &p.stdout}, lockedWriter{&p.mu, &p.stderr}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start the demo: %v", err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill() // its children die with it
		}
	})
	return p
}

func (p *program) texts() (stdout, stderr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String(), p.stderr.String()
}

// wait waits for the program's end.
func (p *program) wait(t *testing.T, limit time.Duration) error {
	t.Helper()
	select {
	case err := <-p.done:
		return err
	case <-time.After(limit):
		_, stderr := p.texts()
		t.Fatalf("the demo did not end in %s:\n%s", limit, stderr)
		return nil
	}
}

// saw waits until the program has said something on its standard error.
func (p *program) saw(t *testing.T, what string, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); pause(t, 50*time.Millisecond) {
		if _, stderr := p.texts(); strings.Contains(stderr, what) {
			return
		}
	}
	_, stderr := p.texts()
	t.Fatalf("the demo did not say %q in %s:\n%s", what, limit, stderr)
}

// pause waits for real programs; there is no clock to fake.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test is over")
	case <-time.After(d):
	}
}

// noProcessOf fails when a process still runs with the directory on its command line.
func noProcessOf(t *testing.T, dir string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		if err == nil && bytes.Contains(raw, []byte(dir)) && !strings.Contains(path, fmt.Sprintf("/%d/", os.Getpid())) {
			t.Errorf("a process is left: %s", strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
}
