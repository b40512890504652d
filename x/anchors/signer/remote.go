// SPDX-License-Identifier: Apache-2.0

package signer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	// remoteTimeout bounds a request to a remote signer: a vote must not wait for it.
	remoteTimeout = time.Second
	// maxResponseBytes is more than any answer has.
	maxResponseBytes = 4 << 10

	unixScheme = "unix://"
)

// Remote asks a signer behind a Unix socket: one connection, one JSON object each way. That signer keeps its own record of what it
// has signed.
//
// The answer to the last request is kept: a node asks again at every height until its signature is on chain.
type Remote struct {
	path string

	mu        sync.Mutex
	digest    [32]byte
	signature [65]byte
}

// Dial returns the signer at "unix:///path". Nothing is connected yet: it may come and go while the node runs.
//
// Errors: ErrSettings.
func Dial(address string) (*Remote, error) {
	path, ok := strings.CutPrefix(address, unixScheme)
	if !ok || path == "" {
		return nil, fmt.Errorf("%w: %q", ErrSettings, address)
	}
	return &Remote{path: path}, nil
}

// Sign implements Signer. It takes a second at most. Errors: ErrRemote.
func (r *Remote) Sign(ctx context.Context, request Request) ([65]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	digest := request.Digest()
	if digest == r.digest {
		return r.signature, nil
	}
	signature, err := r.ask(ctx, request)
	if err == nil {
		r.digest, r.signature = digest, signature
	}
	return signature, err
}

func (r *Remote) ask(ctx context.Context, request Request) ([65]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", r.path)
	if err != nil {
		return [65]byte{}, fmt.Errorf("%w: %w", ErrRemote, err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return [65]byte{}, fmt.Errorf("%w: %w", ErrRemote, err)
		}
	}
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return [65]byte{}, fmt.Errorf("%w: %w", ErrRemote, err)
	}
	var response wireResponse
	if err := json.NewDecoder(io.LimitReader(conn, maxResponseBytes)).Decode(&response); err != nil {
		return [65]byte{}, fmt.Errorf("%w: %w", ErrRemote, err)
	}
	signature, err := hex.DecodeString(response.SignatureHex)
	if err != nil || len(signature) != 65 {
		return [65]byte{}, fmt.Errorf("%w: %q", ErrRemote, response.Error)
	}
	return [65]byte(signature), nil
}
