// SPDX-License-Identifier: Apache-2.0

package da

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gpucoord/gpucoord/relayer/loop"
)

// Errors of pinning.
var (
	// ErrPin says that the endpoint did not take a file.
	ErrPin = errors.New("pin endpoint did not take the file; it will be offered again")
	// ErrPinHash says that the endpoint names another hash than the file's: it keeps something else.
	ErrPinHash = errors.New("pin endpoint names another SHA-256 than the file has; look at da.pin_url")
)

const (
	// maxPinAnswer is more than any endpoint has to say.
	maxPinAnswer = 64 << 10
	// maxPinWait bounds the time between two offers to an endpoint that refuses.
	maxPinWait = 10 * time.Minute
)

// PinConfig says where files are kept besides here.
type PinConfig struct {
	// URL takes a file by POST as the part "file" of multipart/form-data and answers with JSON that has its hash: Aleph's
	// /api/v0/storage/add_file and /api/v0/ipfs/add_file, and /api/v0/add of IPFS.
	URL string
	// Token is sent as a bearer token unless it is empty.
	Token string
	// Interval is how often new files are looked for, and the shortest time between two offers after a failure.
	Interval, Timeout time.Duration
}

// Pinner hands every file of a directory to a pin endpoint, once.
type Pinner struct {
	dir    *Dir
	cfg    PinConfig
	client *http.Client
	log    *slog.Logger

	wait  time.Duration // owned by Step: how long the endpoint is left alone after a failure
	until time.Time

	mu     sync.Mutex
	counts PinCounts
}

// PinCounts are what a pinner has done since it began.
type PinCounts struct{ Pinned, Failed uint64 }

// NewPinner makes a pinner.
func NewPinner(dir *Dir, cfg PinConfig, log *slog.Logger) *Pinner {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Pinner{dir: dir, cfg: cfg, client: client, log: log}
}

// Run works until ctx ends.
func (p *Pinner) Run(ctx context.Context) error {
	return loop.Every(ctx, p.log, p.cfg.Interval, p.Step)
}

// Counts may be called at any time.
func (p *Pinner) Counts() PinCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Step offers what was not taken yet. After a failure the endpoint is left alone, longer from time to time.
func (p *Pinner) Step(ctx context.Context) error {
	if time.Now().Before(p.until) {
		return nil
	}
	files, err := p.dir.unpinned()
	if err != nil {
		return err
	}
	for _, sum := range files {
		if err := p.pin(ctx, sum); err != nil {
			p.wait = min(max(2*p.wait, p.cfg.Interval), maxPinWait)
			p.until = time.Now().Add(p.wait)
			p.count(func(c *PinCounts) { c.Failed++ })
			return err
		}
		p.wait = 0
		p.count(func(c *PinCounts) { c.Pinned++ })
	}
	return nil
}

func (p *Pinner) count(change func(*PinCounts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.counts)
}

// pin offers one file and remembers the name that the endpoint gave it.
func (p *Pinner) pin(ctx context.Context, sum [32]byte) error {
	file, err := os.Open(p.dir.Path(sum))
	if errors.Is(err, os.ErrNotExist) {
		return nil // pruned meanwhile
	}
	if err != nil {
		return fmt.Errorf("read DA file: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	answer, err := p.post(ctx, file, sum)
	if err != nil {
		return err
	}
	if len(answer) == 64 && !strings.EqualFold(answer, hex.EncodeToString(sum[:])) {
		return fmt.Errorf("%w: %.64s", ErrPinHash, answer)
	}
	if err := p.dir.write(p.dir.pinPath(sum), []byte(answer+"\n")); err != nil {
		return fmt.Errorf("note the pin: %w", err)
	}
	p.log.InfoContext(ctx, "records pinned", slog.String("da_sha256", hex.EncodeToString(sum[:])), slog.String("pin", answer))
	return nil
}

// post streams a file and returns the hash in the answer.
func (p *Pinner) post(ctx context.Context, file *os.File, sum [32]byte) (string, error) {
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("read DA file: %w", err)
	}
	var frame bytes.Buffer
	form := multipart.NewWriter(&frame)
	if _, err := form.CreateFormFile("file", hex.EncodeToString(sum[:])); err != nil {
		return "", err
	}
	head := frame.Len()
	if err := form.Close(); err != nil {
		return "", err
	}
	body := io.MultiReader(bytes.NewReader(frame.Bytes()[:head]), file, bytes.NewReader(frame.Bytes()[head:]))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.URL, body)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPin, err)
	}
	request.ContentLength = info.Size() + int64(frame.Len())
	request.Header.Set("Content-Type", form.FormDataContentType())
	if p.cfg.Token != "" {
		request.Header.Set("Authorization", "Bearer "+p.cfg.Token)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPin, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read as far as it is wanted
	if response.StatusCode/100 != 2 {
		return "", fmt.Errorf("%w: it answers %d", ErrPin, response.StatusCode)
	}
	var answer struct{ Hash string } // encoding/json takes hash and Hash alike
	if err := json.NewDecoder(io.LimitReader(response.Body, maxPinAnswer)).Decode(&answer); err != nil || !isName(answer.Hash) {
		return "", fmt.Errorf("%w: its answer names no hash", ErrPin)
	}
	return answer.Hash, nil
}

// isName says whether text is short and of letters and digits, as hashes and CIDs are.
func isName(text string) bool {
	return text != "" && len(text) <= 128 && strings.Trim(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// pinPath is where the name lies that a pin endpoint gave the file with a hash.
func (d *Dir) pinPath(sum [32]byte) string { return d.Path(sum) + ".pin" }

// unpinned returns the hashes of the files that no endpoint has taken, in their order.
func (d *Dir) unpinned() ([][32]byte, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("list DA files: %w", err)
	}
	pinned := make(map[string]bool)
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".pin"); ok {
			pinned[name] = true
		}
	}
	var out [][32]byte
	for _, e := range entries {
		if raw, err := hex.DecodeString(e.Name()); err == nil && len(raw) == 32 && !pinned[e.Name()] {
			out = append(out, [32]byte(raw))
		}
	}
	return out, nil
}
