// SPDX-License-Identifier: Apache-2.0

// Package serve is what the relayer listens for: the DA files for everyone, and metrics, health and status for the
// operator alone.
package serve

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gpucoord/gpucoord/relayer/da"
)

// Limits of both listeners. Answers are written within writeTimeout; the largest is a DA file.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 15 * time.Second
	writeTimeout   = 10 * time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 8 << 10
	drainTimeout   = 5 * time.Second
	// maxReaders bounds how many DA files are read at a time.
	maxReaders = 32
)

// Public answers GET /da/<SHA-256, 64 lower-case hex digits> with a DA file. It lists nothing.
func Public(files *da.Dir) http.Handler {
	slots := make(chan struct{}, maxReaders)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /da/{hash}", func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many readers, come back", http.StatusServiceUnavailable)
			return
		}
		serveDA(files, w, r)
	})
	return mux
}

func serveDA(files *da.Dir, w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("hash")
	raw, err := hex.DecodeString(name)
	if err != nil || len(raw) != 32 || name != strings.ToLower(name) {
		http.Error(w, "give the SHA-256 of a DA file as 64 lower-case hex digits", http.StatusNotFound)
		return
	}
	file, err := os.Open(files.Path([32]byte(raw)))
	if err != nil {
		http.Error(w, "no such DA file: it was never written here, or its time is over", http.StatusNotFound)
		return
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.Error(w, "DA file cannot be read", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"`+name+`"`)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // the name is the hash
	http.ServeContent(w, r, "", time.Time{}, file)
}

// Listener is one address with what it serves.
type Listener struct {
	Address string
	Handler http.Handler
}

// Server listens on a public and on a loopback address.
type Server struct {
	listeners []net.Listener
	handlers  []http.Handler
	log       *slog.Logger
}

// Listen takes the addresses.
//
// Errors: the system's.
func Listen(ctx context.Context, log *slog.Logger, on ...Listener) (*Server, error) {
	s := &Server{log: log}
	for _, l := range on {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.Address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", l.Address, err), s.close())
		}
		s.listeners, s.handlers = append(s.listeners, listener), append(s.handlers, l.Handler)
	}
	return s, nil
}

// Addr is the address that listener i got.
func (s *Server) Addr(i int) string { return s.listeners[i].Addr().String() }

// Addrs are the addresses of all listeners.
func (s *Server) Addrs() []string {
	out := make([]string, len(s.listeners))
	for i := range out {
		out[i] = s.Addr(i)
	}
	return out
}

func (s *Server) close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Run serves until ctx ends, then lets running answers end for a few seconds.
//
// Errors: the context's, or that of a listener that fails.
func (s *Server) Run(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	for i := range s.listeners {
		server := &http.Server{
			Handler: http.MaxBytesHandler(s.handlers[i], 0), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
			IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn), // it names addresses
		}
		group.Go(func() error {
			if err := server.Serve(s.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve on %s: %w", s.Addr(i), err)
			}
			return nil
		})
		group.Go(func() error {
			<-gctx.Done()
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
			defer cancel()
			if err := server.Shutdown(drain); err != nil {
				return server.Close()
			}
			return nil
		})
	}
	return errors.Join(group.Wait(), ctx.Err())
}
