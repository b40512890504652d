// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gpucoord/gpucoord/domain/receipt"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// ErrDA says that a batch's published records are not what its hash on the chain says.
var ErrDA = errors.New("the records a relayer publishes are not those of its batch")

// readClaims fetches the records of each settled batch of the epochs from where the batch says they are.
func (w *World) readClaims(ctx context.Context, f *facts, first, last uint64) error {
	f.claimed = make(map[uint64][][32]byte)
	for i := range f.batches {
		b := &f.batches[i]
		if b.Epoch < first || b.Epoch > last || b.Status != receiptstypes.BatchStatus_BATCH_STATUS_FINALISED {
			continue
		}
		raw, err := fetchDA(ctx, b)
		if err != nil {
			return fmt.Errorf("records of batch %d: %w", b.Id, err)
		}
		if f.claimed[b.Id], err = jobsOf(w.domain, raw); err != nil {
			return fmt.Errorf("records of batch %d: %w", b.Id, err)
		}
	}
	return nil
}

func fetchDA(ctx context.Context, b *receiptstypes.Batch) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.DaUri, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); response.StatusCode != http.StatusOK || string(sum[:]) != string(b.DaSha256) {
		return nil, fmt.Errorf("%w: %s answers %s with %d bytes", ErrDA, b.DaUri, response.Status, len(raw))
	}
	return raw, nil
}

// jobsOf reads the job ids of a DA file: SR1 records, each after its length in two bytes.
func jobsOf(domain receipt.Domain, raw []byte) ([][32]byte, error) {
	var jobs [][32]byte
	for len(raw) > 0 {
		if len(raw) < 2 || len(raw)-2 < int(binary.BigEndian.Uint16(raw)) {
			return nil, fmt.Errorf("%w: it ends in the middle of a record", ErrDA)
		}
		size := int(binary.BigEndian.Uint16(raw))
		record, err := receipt.Decode(raw[2 : 2+size])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDA, err)
		}
		jobs, raw = append(jobs, record.JobID(domain)), raw[2+size:]
	}
	return jobs, nil
}
