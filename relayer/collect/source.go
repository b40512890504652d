// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gpucoord/gpucoord/host/wire"
)

// Errors of a host's log.
var (
	// ErrLogShrank says that the host's log ends before what was read of it. Receipts are lost: declare the loss, and give
	// the host a new receipt key and the relayer a new store.
	ErrLogShrank = errors.New("host's log is shorter than what was read of it: it lost receipts; collecting stops until this is resolved")
	// ErrPruned says that the host no longer has the log from there on.
	ErrPruned = errors.New("host deleted the log at this offset")
	// ErrAnswer says that the host's admin interface does not answer as it should.
	ErrAnswer = errors.New("host's admin interface refuses; check admin_url and admin_token_file")
)

const (
	// callTimeout bounds one call: an answer is about 1 MiB.
	callTimeout = 15 * time.Second
	// maxAnswerBytes is above what a host sends: 10,000 frames.
	maxAnswerBytes = 16 << 20
)

// Piece is a part of a host's log.
type Piece struct {
	// Frames are whole RECEIPT and FINAL frames.
	Frames []byte
	// Next is where the following piece begins; the offset asked for at the end of the log. End is where the log ends.
	Next, End int64
}

// Source is where a host's log is read.
type Source interface {
	// Read returns what begins at offset, at most that many frames. Errors: ErrLogShrank, ErrPruned, ErrAnswer, or the network's.
	Read(ctx context.Context, offset int64, most int) (Piece, error)
	// First returns the first offset that the host still has.
	First(ctx context.Context) (int64, error)
}

// HTTPSource reads a host's admin interface.
type HTTPSource struct {
	base, token string
	client      *http.Client
}

// NewHTTPSource makes a source of the interface at base, with the token in a file.
//
// Errors: the file system's.
func NewHTTPSource(base, tokenFile string) (*HTTPSource, error) {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, fmt.Errorf("admin token: %w", err)
	}
	return &HTTPSource{
		base: strings.TrimRight(base, "/"), token: strings.TrimSpace(string(token)),
		client: &http.Client{
			Timeout:       callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this host alone
		},
	}, nil
}

// Read implements Source.
func (s *HTTPSource) Read(ctx context.Context, offset int64, most int) (Piece, error) {
	header, body, err := s.get(ctx, fmt.Sprintf("/internal/v1/log?offset=%d&limit=%d", offset, most))
	if err != nil {
		return Piece{}, err
	}
	p := Piece{Frames: body}
	if p.Next, err = strconv.ParseInt(header.Get(wire.HeaderNextOffset), 10, 64); err != nil {
		return Piece{}, fmt.Errorf("%w: no %s", ErrAnswer, wire.HeaderNextOffset)
	}
	if p.End, err = strconv.ParseInt(header.Get(wire.HeaderEndOffset), 10, 64); err != nil {
		return Piece{}, fmt.Errorf("%w: no %s", ErrAnswer, wire.HeaderEndOffset)
	}
	return p, nil
}

// First implements Source.
func (s *HTTPSource) First(ctx context.Context) (int64, error) {
	_, body, err := s.get(ctx, "/internal/v1/status")
	if err != nil {
		return 0, err
	}
	var status struct {
		FirstOffset *int64 `json:"first_offset"`
	}
	if err := json.Unmarshal(body, &status); err != nil || status.FirstOffset == nil {
		return 0, fmt.Errorf("%w: status has no first_offset", ErrAnswer)
	}
	return *status.FirstOffset, nil
}

func (s *HTTPSource) get(ctx context.Context, path string) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("ask the host: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := s.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("ask the host: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the host's answer: %w", err)
	}
	switch {
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return nil, nil, ErrLogShrank
	case res.StatusCode == http.StatusGone:
		return nil, nil, ErrPruned
	case res.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("%w: status %d", ErrAnswer, res.StatusCode)
	case len(body) > maxAnswerBytes:
		return nil, nil, fmt.Errorf("%w: answer of more than %d bytes", ErrAnswer, maxAnswerBytes)
	}
	return res.Header, body, nil
}
