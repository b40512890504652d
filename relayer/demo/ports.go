// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// ErrPortTaken says that a port that the data directory is bound to is in use.
var ErrPortTaken = errors.New("a port of this demo's data directory is in use; end the program that has it, or start with another --home")

// firstPorts are where each kind of listener begins; the second operator's is one higher, and so on.
var firstPorts = []struct {
	kind  string
	port  int
	count int
}{
	{"rpc", 26657, 1},
	{"p2p", 26656, 1},
	{"grpc", 9090, 1},
	{"rest", 1317, 1},
	{"engine", 18000, len(operators)},
	{"host", 18010, len(operators)},
	{"host-admin", 18020, len(operators)},
	{"relayer", 18030, len(operators)},
	{"relayer-status", 18040, len(operators)},
	{"gateway", 18050, len(gateways)},
	{"gateway-admin", 18060, len(gateways)},
	{"anchorer-status", 18070, 1},
	{"evm", 8545, 1},
}

// portMap holds the ports of a demo by kind.
type portMap map[string][]int

// choosePorts takes the fixed port of each listener, or a free one where that is in use.
func choosePorts(ctx context.Context) (portMap, error) {
	out := make(portMap)
	taken := make(map[int]bool)
	for _, first := range firstPorts {
		for i := range first.count {
			port, err := freePort(ctx, first.port+i, taken)
			if err != nil {
				return nil, fmt.Errorf("port for %s: %w", first.kind, err)
			}
			taken[port] = true
			out[first.kind] = append(out[first.kind], port)
		}
	}
	return out, nil
}

func freePort(ctx context.Context, wanted int, taken map[int]bool) (int, error) {
	if !taken[wanted] && canListen(ctx, wanted) {
		return wanted, nil
	}
	for range 100 {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a TCP listener has a TCP address
		if err := l.Close(); err != nil {
			return 0, err
		}
		if !taken[port] {
			return port, nil
		}
	}
	return 0, errors.New("the system offers no free port")
}

func canListen(ctx context.Context, port int) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// check reports the first port that is in use.
//
// Errors: ErrPortTaken.
func (p portMap) check(ctx context.Context) error {
	for _, first := range firstPorts {
		if len(p[first.kind]) != first.count {
			return fmt.Errorf("%s names %d ports of kind %s, want %d", stateFile, len(p[first.kind]), first.kind, first.count)
		}
		for _, port := range p[first.kind] {
			if !canListen(ctx, port) {
				return fmt.Errorf("%w: %d (%s)", ErrPortTaken, port, first.kind)
			}
		}
	}
	return nil
}

// address is the loopback address of a listener.
func (p portMap) address(kind string, i int) string { return fmt.Sprintf("127.0.0.1:%d", p[kind][i]) }

// url is the http URL of a listener.
func (p portMap) url(kind string, i int) string { return "http://" + p.address(kind, i) }
