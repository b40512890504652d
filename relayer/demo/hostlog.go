// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/receiptlog"
	"github.com/gpucoord/gpucoord/host/wire"
)

// readLogs reads every host's receipt log through its admin interface, as its relayer does.
func (w *World) readLogs(ctx context.Context, f *facts) error {
	f.logs = make(map[string][]receipt.Record)
	for i, o := range operators {
		token, err := w.home.token(hostOf(o.name) + "-token")
		if err != nil {
			return err
		}
		records, err := readLog(ctx, w.domain, w.state.Ports.url("host-admin", i), token)
		if err != nil {
			return fmt.Errorf("log of %s: %w", hostOf(o.name), err)
		}
		f.logs[w.state.Accounts[o.name].Address] = records
	}
	return nil
}

// readLog reads a receipt log to its end and joins receipts with their countersignatures.
func readLog(ctx context.Context, domain receipt.Domain, adminURL, token string) ([]receipt.Record, error) {
	var (
		records []receipt.Record
		places  = make(map[[32]byte]int)
	)
	for offset := int64(0); ; {
		frames, next, err := fetchLog(ctx, fmt.Sprintf("%s/internal/v1/log?offset=%d&limit=1000", adminURL, offset), token)
		if err != nil {
			return nil, err
		}
		for len(frames) > 0 {
			frame, rest, err := receiptlog.Next(frames)
			if err != nil {
				return nil, err
			}
			frames = rest
			switch frame.Kind {
			case receiptlog.KindReceipt:
				record, err := receipt.Decode(frame.Payload)
				if err != nil {
					return nil, err
				}
				places[record.JobID(domain)] = len(records)
				records = append(records, record)
			case receiptlog.KindFinal:
				place, known := places[[32]byte(frame.Payload[:32])]
				if !known {
					return nil, fmt.Errorf("a countersignature without its receipt before offset %d", next)
				}
				records[place].SigFinal, records[place].Countersigned = [65]byte(frame.Payload[32:]), true
			case receiptlog.KindOpen, receiptlog.KindReserve, receiptlog.KindHeader: // the host's own
			}
		}
		if next == offset {
			return records, nil
		}
		offset = next
	}
}

func fetchLog(ctx context.Context, url, token string) (frames []byte, next int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, 0, refusalOf(response)
	}
	if frames, err = io.ReadAll(response.Body); err != nil {
		return nil, 0, err
	}
	next, err = strconv.ParseInt(response.Header.Get(wire.HeaderNextOffset), 10, 64)
	return frames, next, err
}

// readRejected asks the relayers how many records they found wrong.
func (w *World) readRejected(ctx context.Context, f *facts) error {
	for i, o := range operators {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.state.Ports.url("relayer-status", i)+"/status", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("status of %s: %w", relayerOf(o.name), err)
		}
		var status struct {
			Hosts []struct {
				Rejected map[string]uint64 `json:"rejected"`
			} `json:"hosts"`
		}
		err = json.NewDecoder(response.Body).Decode(&status)
		_ = response.Body.Close() // decoded, or the error is known
		if err != nil {
			return fmt.Errorf("status of %s: %w", relayerOf(o.name), err)
		}
		for _, host := range status.Hosts {
			for _, n := range host.Rejected {
				f.rejected += n
			}
		}
	}
	return nil
}
