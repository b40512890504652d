// SPDX-License-Identifier: Apache-2.0

//go:build unix

package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell is a child that runs a script.
func shell(name, script string) command {
	return command{name: name, path: "/bin/sh", args: []string{"-c", script}}
}

func newTestChildren(t *testing.T) *children {
	t.Helper()
	c, err := newChildren(t.Context(), filepath.Join(t.TempDir(), "logs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stopAll(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// alive reports whether a child's process group has a process left.
func alive(c *children, name string) bool {
	return syscall.Kill(-c.running[name].cmd.Process.Pid, 0) == nil
}

func TestChildThatDiesIsReportedWithItsLastLines(t *testing.T) {
	c := newTestChildren(t)
	if err := c.start(t.Context(), shell("engine", "echo first; echo the reason >&2; exit 3")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-c.failed:
		for _, want := range []string{"engine", "exit status 3", "the reason"} {
			if !errors.Is(err, ErrChildDied) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want ErrChildDied with %q", err, want)
			}
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody reports the death")
	}
}

func TestADeadChildsDemoSaysHowToGoOn(t *testing.T) {
	w := &World{opts: Options{Relayer: "gpucoord-relayer"}, home: home{dir: "/data/demo"}}
	err := w.advise(fmt.Errorf("%w: host-west", ErrChildDied))
	if !errors.Is(err, ErrChildDied) || !strings.Contains(err.Error(), "gpucoord-relayer demo --home /data/demo") {
		t.Errorf("got %v", err)
	}
	if other := errors.New("other"); w.advise(other) != other || w.advise(nil) != nil {
		t.Error("other errors must stay as they are")
	}
}

func TestStopAllEndsChildrenAndTheirChildren(t *testing.T) {
	c := newTestChildren(t)
	dir := t.TempDir()
	for _, name := range []string{"node", "host"} {
		script := "sleep 600 & trap 'echo " + name + " >>" + dir + "/order; exit 0' TERM; touch " + dir + "/" + name + "; wait"
		if err := c.start(t.Context(), shell(name, script)); err != nil {
			t.Fatal(err)
		}
		waitFile(t, filepath.Join(dir, name))
	}
	if err := c.stopAll(); err != nil {
		t.Fatal(err)
	}
	order, err := os.ReadFile(filepath.Join(dir, "order"))
	if err != nil || string(order) != "host\nnode\n" {
		t.Errorf("they ended in the order %q, %v: want the last to start first", order, err)
	}
	for _, name := range []string{"node", "host"} {
		for range 100 { // the kernel reaps grandchildren a moment later
			if !alive(c, name) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if alive(c, name) {
			t.Errorf("a process of %s is left", name)
		}
	}
	select {
	case err := <-c.failed:
		t.Errorf("an end that was asked for is reported: %v", err)
	default:
	}
}

func TestStopKillsAChildThatDoesNotEnd(t *testing.T) {
	c := newTestChildren(t)
	ready := filepath.Join(t.TempDir(), "ready")
	if err := c.start(t.Context(), shell("stubborn", "trap '' TERM; touch "+ready+"; while :; do sleep 1; done")); err != nil {
		t.Fatal(err)
	}
	waitFile(t, ready)
	ch, err := c.claim("stubborn")
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.stop(100 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	<-ch.done
}

func TestKillAndRestart(t *testing.T) {
	c := newTestChildren(t)
	file := filepath.Join(t.TempDir(), "starts")
	if err := c.start(t.Context(), shell("host", "echo once >>"+file+"; sleep 600")); err != nil {
		t.Fatal(err)
	}
	waitFile(t, file)
	if err := c.restart(t.Context(), "host"); err == nil {
		t.Error("a running program was started again")
	}
	if err := c.kill("host"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := c.restart(t.Context(), "host"); err != nil {
		t.Fatal(err)
	}
	waitFile(t, file)
	if err := c.kill("nobody"); err == nil {
		t.Error("a program that was never started was killed")
	}
}

// waitFile waits until a child has made a file: real processes have no other clock.
func waitFile(t *testing.T, path string) {
	t.Helper()
	for range 500 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s was never made", path)
}
