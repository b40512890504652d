// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// starts runs what it is sent on one thread that lives as long as the tests: Linux ends a child when the thread that started it ends.
var starts = sync.OnceValue(func() chan<- func() {
	todo := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range todo {
			f()
		}
	}()
	return todo
})

// process is a running program. It ends with the test, and with the tests if they are killed.
type process struct {
	name string
	args []string // the first is the program
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// startProcess starts a program that writes its log to dir.
func startProcess(t *testing.T, dir, name string, args ...string) *process {
	t.Helper()
	p := &process{name: name, args: args, log: filepath.Join(dir, name+".log")}
	p.start(t)
	t.Cleanup(func() {
		p.kill(t)
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", name, logEnd(p.log))
		}
	})
	return p
}

// start starts the program, again if it has ended.
func (p *process) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	starts() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(done)
	}()
}

// kill ends the program as a power cut would.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("kill %s: %v", p.name, err)
	}
	<-p.done
}

// stop asks the program to end, and returns when it has.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("end %s: %v", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not end:\n%s", p.name, logEnd(p.log))
	}
}

// logEnd is the end of a log, from its last panic on where there is one.
func logEnd(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	text := strings.TrimRight(string(raw), "\n")
	if i := strings.LastIndex(text, "panic: "); i >= 0 {
		text = text[i:]
		return text[:min(len(text), 1_000)]
	}
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// freePorts returns ports that nobody listens on, all different.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // held until all are known
		ports[i] = as[*net.TCPAddr](t, l.Addr()).Port
	}
	return ports
}

// waitFor asks until the answer is yes. what names what is waited for.
func waitFor(t *testing.T, what string, limit time.Duration, ask func() (bool, error)) {
	t.Helper()
	began := time.Now()
	var err error
	for time.Since(began) < limit {
		var done bool
		if done, err = ask(); done && err == nil {
			t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what)
			return
		}
		pause(t, 100*time.Millisecond)
	}
	t.Fatalf("not within %s: %s (%v)", limit, what, err)
}

// run runs a program to its end and returns what it printed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := output(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// output is run for other goroutines than the test's.
func output(ctx context.Context, args ...string) (string, error) {
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
