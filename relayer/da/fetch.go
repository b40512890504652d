// SPDX-License-Identifier: Apache-2.0

package da

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// MaxRecordBytes is the most that one record takes in a DA file.
const MaxRecordBytes = lengthSize + receipt.SizeCountersigned

const (
	dialTimeout   = 10 * time.Second
	headerTimeout = 20 * time.Second
	maxHeader     = 16 << 10
	// leastRate is the bytes a second that a server must reach besides the time it has for any answer.
	leastRate = 256 << 10
)

// Errors of downloads. A server that gives one of them does not make the data available.
var (
	// ErrStatus says that the server did not answer with the file. A redirect is such an answer: it could lead anywhere.
	ErrStatus = errors.New("DA server's answer is not 200; redirects are not followed")
	// ErrTooLong says that the server sends more than the batch's records can be.
	ErrTooLong = errors.New("DA server sends more bytes than the batch's records can have")
	// ErrOtherFile says that the server sends other bytes than the batch names.
	ErrOtherFile = errors.New("DA server sends bytes of another SHA-256 than the batch names")
)

// Fetcher downloads DA files from where batches say that they are.
type Fetcher struct {
	policy  Policy
	timeout time.Duration
	client  *http.Client
}

// NewFetcher makes a fetcher. An answer may take timeout, and one second more for each 256 KiB that were asked for.
func NewFetcher(policy Policy, timeout time.Duration) *Fetcher {
	f := &Fetcher{policy: policy, timeout: timeout}
	f.client = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: f.dial, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout, MaxResponseHeaderBytes: maxHeader,
			DisableCompression: true, DisableKeepAlives: true, // no proxy either: it would choose the address
		},
	}
	return f
}

// dial connects to a name only where it leads to a public address, unless the configuration names it. It looks at the very
// address that is connected to, so that a name cannot change its mind in between.
func (f *Fetcher) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	if !f.policy.names(hostPort) {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !public(to.Addr()) {
				return fmt.Errorf("%w: %s", ErrPrivateAddress, hostPort)
			}
			return nil
		}
	}
	return dialer.DialContext(ctx, network, hostPort)
}

// Fetch downloads the file with a hash into dir, where it is under its name only when all of it is there and right. At most
// limit bytes are read.
//
// Errors: those of Policy.Check, ErrPrivateAddress, ErrStatus, ErrTooLong, ErrOtherFile, or the network's and the file system's.
func (f *Fetcher) Fetch(ctx context.Context, uri string, sum [32]byte, limit int64, dir *Dir) error {
	if err := f.policy.Check(uri); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout+time.Duration(limit/leastRate)*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, http.NoBody)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrBadURI, uri)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return fmt.Errorf("fetch records: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was read as far as it is wanted
	switch {
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: %s answers %d", ErrStatus, uri, response.StatusCode)
	case response.ContentLength > limit:
		return fmt.Errorf("%w: %s announces %d, most is %d", ErrTooLong, uri, response.ContentLength, limit)
	}
	if err := dir.receive(response.Body, sum, limit); err != nil {
		return fmt.Errorf("%s: %w", uri, err)
	}
	return nil
}

// receive writes what it reads to the file with a hash, if it has that hash and at most limit bytes.
func (d *Dir) receive(from io.Reader, sum [32]byte, limit int64) error {
	temp, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already unless something failed
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(temp, hash), io.LimitReader(from, limit+1))
	switch {
	case err != nil:
	case n > limit:
		err = fmt.Errorf("%w: most is %d", ErrTooLong, limit)
	case [32]byte(hash.Sum(nil)) != sum:
		err = ErrOtherFile
	}
	if err := errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil { //nolint:gosec // the files are public
		return err
	}
	if err := os.Rename(temp.Name(), d.Path(sum)); err != nil {
		return err
	}
	return d.sync()
}
