// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net"
	"net/netip"
	"sync"
)

const (
	// maxConns bounds the connections of the public listener: each one costs a file, and the receipt log needs files too.
	maxConns = 8192
	// maxConnsOfOne bounds those of one remote address; a gateway with 256 jobs and their countersignatures needs fewer.
	maxConnsOfOne = 1024
)

// counts holds how much is in progress by key, up to a limit for each.
type counts[K comparable] struct {
	mu sync.Mutex
	n  map[K]int
}

// enter counts one more of key, unless there are limit already.
func (c *counts[K]) enter(key K, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[K]int)
	}
	if c.n[key] >= limit {
		return false
	}
	c.n[key]++
	return true
}

func (c *counts[K]) leave(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[key]--; c.n[key] <= 0 {
		delete(c.n, key)
	}
}

// boundedListener closes connections beyond its limits as they come in.
type boundedListener struct {
	net.Listener
	all       chan struct{} // one per open connection
	perRemote int
	remotes   counts[netip.Prefix]
}

func newBoundedListener(l net.Listener, limit, perRemote int) *boundedListener {
	return &boundedListener{Listener: l, all: make(chan struct{}, limit), perRemote: perRemote}
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if b := l.admit(c); b != nil {
			return b, nil
		}
		_ = c.Close() // it was never used
	}
}

// admit counts a connection; nil means that there are too many.
func (l *boundedListener) admit(c net.Conn) *boundedConn {
	remote, _ := remoteKey(c.RemoteAddr().String()) // what has no address shares one count
	if !l.remotes.enter(remote, l.perRemote) {
		return nil
	}
	select {
	case l.all <- struct{}{}:
		return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.all; l.remotes.leave(remote) })}
	default:
		l.remotes.leave(remote)
		return nil
	}
}

// boundedConn is counted until it is closed.
type boundedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
