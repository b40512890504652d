// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A host's bytes and addresses never reach the log, whatever way it breaks the protocol: they may hold what a customer asked.
func TestLoggedErrorsQuoteNoHost(t *testing.T) {
	const secret = "what-the-customer-asked"
	for name, answer := range map[string]string{
		"no HTTP":           secret + "\r\n\r\n",
		"status code":       "HTTP/1.1 " + secret + "\r\n\r\n",
		"header line":       "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"header name":       "HTTP/1.1 200 OK\r\n" + secret + " x: y\r\n\r\n",
		"content length":    "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n",
		"nothing":           "",
	} {
		t.Run(name, func(t *testing.T) {
			address := answering(t, answer)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/completions", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Transport{}).RoundTrip(req)
			if err == nil {
				_ = resp.Body.Close()
				t.Skip("the client takes this answer")
			}
			port := address[strings.LastIndexByte(address, ':'):]
			if got := cleanError(fmt.Errorf("call: %w", err)); got == "" || strings.Contains(got, secret) || strings.Contains(got, port) {
				t.Errorf("log would say %q", got)
			}
		})
	}
	if got, want := cleanError(fmt.Errorf("call: %w", errNoTLS)), errNoTLS.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// answering listens for one request, answers with these bytes and hangs up. It returns its address.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = conn.Write([]byte(answer))
	}()
	return l.Addr().String()
}
