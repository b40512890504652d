// SPDX-License-Identifier: Apache-2.0

package host

import (
	"io"
	"net"
	"testing"
)

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newBoundedListener(inner, 8, 2)
	defer l.Close()
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // the test is over
		return c
	}
	dial()
	first := <-accepted
	dial()
	<-accepted
	if _, err := dial().Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the third connection: got %v", err)
	}
	for range 2 { // closing twice frees one place
		_ = first.Close()
	}
	dial()
	<-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Fatal("more than two are open")
	}
	if len(l.all) != 2 {
		t.Fatalf("got %d counted", len(l.all))
	}
}

func TestCountsAreBoundedForEachKey(t *testing.T) {
	var c counts[int]
	if !c.enter(1, 1) || c.enter(1, 1) || !c.enter(2, 1) {
		t.Fatal("keys are not told apart")
	}
	c.leave(1)
	if !c.enter(1, 1) {
		t.Fatal("a place that was left is not free")
	}
	c.leave(1)
	c.leave(2)
	if len(c.n) != 0 {
		t.Fatalf("keys are kept: %v", c.n)
	}
}
