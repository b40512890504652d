// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/da"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// daTimeout bounds the download of one DA file.
	daTimeout = 2 * time.Minute
	// daRecordBytes is the most that one record takes in a DA file.
	daRecordBytes = 2 + receipt.SizeCountersigned
	// daMaxBytes is the largest DA file that is read.
	daMaxBytes = 4 << 30
)

// Errors of reading DA files.
var (
	errNoSource   = errors.New("no DA source: name one with --da, or allow the batch's own host with --allow-host")
	errDANotFound = errors.New("no source has the batch's DA file: name a relayer of the batch's operator, or a copy of the file, with --da")
	errDALength   = errors.New("DA file is larger than the batch's records can be")
	errDAHash     = errors.New("DA file has another hash than the batch names")
	errDAStatus   = errors.New("HTTP status is not 200")
)

// records returns the records of a batch, of all groups in order, from the first source that has the file of its hash.
func (b *bundler) records(ctx context.Context, batch *receiptstypes.Batch, want wanted) ([][]byte, error) {
	sources, err := b.daSources(batch)
	if err != nil && want.record != nil && batch.Count == 1 {
		return [][]byte{want.sr1}, nil // a batch of one receipt is its own tree
	}
	if err != nil {
		return nil, err
	}
	limit := int64(daMaxBytes)
	if batch.Count < daMaxBytes/daRecordBytes {
		limit = int64(batch.Count) * daRecordBytes //nolint:gosec // bounded above
	}
	failures := []error{errDANotFound}
	for _, source := range sources {
		file, err := readSource(ctx, source, limit)
		switch sum := sha256.Sum256(file); {
		case err != nil:
			failures = append(failures, err)
		case !slices.Equal(sum[:], batch.DaSha256):
			failures = append(failures, fmt.Errorf("%s: %w", source, errDAHash))
		default:
			return da.Decode(file)
		}
	}
	return nil, errors.Join(failures...)
}

// daSources are the files and URLs that the command line allows to be read for a batch.
func (b *bundler) daSources(batch *receiptstypes.Batch) (sources []string, err error) {
	for _, source := range b.options.sources {
		if isURL(source) {
			source = strings.TrimRight(source, "/") + "/da/" + hex.EncodeToString(batch.DaSha256)
		}
		sources = append(sources, source)
	}
	if own, err := url.Parse(batch.DaUri); err == nil && isURL(batch.DaUri) && slices.Contains(b.options.allowHosts, own.Host) {
		sources = append(sources, batch.DaUri)
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("%w (it names %q)", errNoSource, batch.DaUri)
	}
	return sources, nil
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// readSource reads at most limit bytes of a file or an HTTP answer. Redirects are not followed: they could lead anywhere.
func readSource(ctx context.Context, source string, limit int64) ([]byte, error) {
	if !isURL(source) {
		file, err := os.Open(source)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		return readAtMost(file, source, limit)
	}
	ctx, cancel := context.WithTimeout(ctx, daTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, source, http.NoBody)
	if err != nil {
		return nil, err
	}
	caller := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := caller.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %w but %d", source, errDAStatus, response.StatusCode)
	}
	return readAtMost(response.Body, source, limit)
}

func readAtMost(r io.Reader, source string, limit int64) ([]byte, error) {
	file, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if int64(len(file)) > limit {
		return nil, fmt.Errorf("%s: %w", source, errDALength)
	}
	return file, nil
}
