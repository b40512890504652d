// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrChildDied says that a program that the demo started ended by itself. The text names it and holds its last lines.
var ErrChildDied = errors.New("a program of the demo ended by itself")

// stopGrace is how long the children have to end after SIGTERM: a host lets running jobs end first.
const stopGrace = 15 * time.Second

// tailLines is how much of a dead child's log is shown.
const tailLines = 12

// command says how a child is started.
type command struct {
	name string
	path string
	args []string
}

// child is a running program.
type child struct {
	command
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

// children are the programs the demo has started. A child that ends without being asked to is reported on failed.
type children struct {
	dir    string // of the logs
	starts chan startRequest
	failed chan error

	mu       sync.Mutex
	order    []string // in which they were started
	running  map[string]*child
	stopping map[string]bool // asked to end, or killed on purpose
}

type startRequest struct {
	cmd    *exec.Cmd
	answer chan error
}

// newChildren makes the directory of the logs and the thread that starts children; the thread lives as long as ctx,
// because Linux ends a child when the thread that started it ends.
func newChildren(ctx context.Context, dir string) (*children, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of the logs: %w", err)
	}
	c := &children{
		dir: dir, starts: make(chan startRequest), failed: make(chan error, 1),
		running: make(map[string]*child), stopping: make(map[string]bool),
	}
	go func() {
		runtime.LockOSThread()
		for {
			select {
			case <-ctx.Done():
				return
			case r := <-c.starts:
				r.answer <- r.cmd.Start()
			}
		}
	}()
	return c, nil
}

// start starts a program; what it writes is appended to its log.
func (c *children) start(ctx context.Context, what command) error {
	path := filepath.Join(c.dir, what.name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log of %s: %w", what.name, err)
	}
	defer log.Close()
	cmd := exec.Command(what.path, what.args...) //nolint:gosec,noctx // our own binaries; stop ends it, not a context
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, childAttributes()
	request := startRequest{cmd: cmd, answer: make(chan error, 1)}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case c.starts <- request:
	}
	if err := <-request.answer; err != nil {
		return fmt.Errorf("start %s: %w", what.name, err)
	}
	ch := &child{command: what, cmd: cmd, log: path, done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.running[what.name]; !known {
		c.order = append(c.order, what.name)
	}
	c.running[what.name] = ch
	delete(c.stopping, what.name)
	go c.watch(ch)
	return nil
}

// watch waits for a child's end and reports it unless it was asked for.
func (c *children) watch(ch *child) {
	ch.err = ch.cmd.Wait()
	close(ch.done)
	c.mu.Lock()
	asked := c.stopping[ch.name]
	c.mu.Unlock()
	if asked {
		return
	}
	how := "exit status 0"
	if ch.err != nil {
		how = ch.err.Error()
	}
	select {
	case c.failed <- fmt.Errorf("%w: %s (%s); the end of %s:\n%s", ErrChildDied, ch.name, how, ch.log, tail(ch.log, tailLines)):
	default: // one is enough to end the demo
	}
}

// kill ends a child as a power cut would and returns when it is gone.
func (c *children) kill(name string) error {
	ch, err := c.claim(name)
	if err != nil {
		return err
	}
	if err := syscall.Kill(-ch.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	<-ch.done
	return nil
}

// end asks one child to end, and kills it after the grace.
func (c *children) end(name string) error {
	ch, err := c.claim(name)
	if err != nil {
		return err
	}
	return ch.stop(stopGrace)
}

// restart starts a child that was killed or ended again, as it was started before.
func (c *children) restart(ctx context.Context, name string) error {
	c.mu.Lock()
	ch, known := c.running[name]
	c.mu.Unlock()
	if !known {
		return fmt.Errorf("no program %q was started", name)
	}
	select {
	case <-ch.done:
		return c.start(ctx, ch.command)
	default:
		return fmt.Errorf("%s still runs", name)
	}
}

// claim marks a child's end as asked for.
func (c *children) claim(name string) (*child, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, known := c.running[name]
	if !known {
		return nil, fmt.Errorf("no program %q was started", name)
	}
	c.stopping[name] = true
	return ch, nil
}

// stopAll ends every child: the last to start first, so that a program ends before what it talks to. Within one grace
// for all, then by SIGKILL.
func (c *children) stopAll() error {
	c.mu.Lock()
	names := append([]string(nil), c.order...)
	c.mu.Unlock()
	deadline := time.Now().Add(stopGrace)
	var errs []error
	for i := len(names) - 1; i >= 0; i-- {
		ch, err := c.claim(names[i])
		if err == nil {
			err = ch.stop(max(time.Second, time.Until(deadline)))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// stop sends SIGTERM to the child's group and SIGKILL after the grace. It returns when the child is gone.
func (ch *child) stop(grace time.Duration) error {
	select {
	case <-ch.done:
		return nil
	default:
	}
	pid := ch.cmd.Process.Pid
	if err := syscall.Kill(-pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end %s: %w", ch.name, err)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ch.done:
	case <-timer.C:
		if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill %s: %w", ch.name, err)
		}
		<-ch.done
	}
	return nil
}

// tailBytes is where looking for the last lines of a log begins.
const tailBytes = 16 << 10

// tail returns the last lines of a file, or why it cannot be read.
func tail(path string, lines int) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		if _, err := f.Seek(-tailBytes, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return "  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}
