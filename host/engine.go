// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

// engine calls the one configured inference engine.
type engine struct {
	base, key string
	transport http.RoundTripper
}

// newEngine returns a client that dials the engine only: it uses no proxy of the environment and follows no redirect.
func newEngine(c *Config) *engine {
	dialer := &net.Dialer{Timeout: c.Timeouts.EngineDial, KeepAlive: 30 * time.Second}
	return &engine{
		base: strings.TrimRight(c.EngineURL, "/"), key: c.EngineKey,
		transport: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   c.Timeouts.EngineDial,
			ResponseHeaderTimeout: c.Timeouts.EngineHeader,
			MaxIdleConnsPerHost:   c.Limits.MaxConcurrent,
			IdleConnTimeout:       c.Timeouts.Idle,
			DisableCompression:    true,
			// what an engine sends in headers is a few hundred bytes
			MaxResponseHeaderBytes: maxEngineError,
		},
	}
}

// do sends a request; a redirect comes back as it is. Nothing of the client but the body reaches the engine.
func (e *engine) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if e.key != "" {
		req.Header.Set("Authorization", "Bearer "+e.key)
	}
	return e.transport.RoundTrip(req)
}
