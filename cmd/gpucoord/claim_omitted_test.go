// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"testing"

	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/da"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// omittedWorld has one operator that settles its own work and claims seqs 10, 20 and 40 of one key.
type omittedWorld struct {
	operatorstypes.QueryClient
	host, payer *receipt.PrivateKey
	operator    string
	batch       receiptstypes.Batch
	b           *bundler
}

// omittedReceipts answers for the receipts' module.
type omittedReceipts struct {
	receiptstypes.QueryClient
	w *omittedWorld
}

func (w *omittedWorld) HostKey(context.Context, *operatorstypes.QueryHostKeyRequest, ...grpc.CallOption) (*operatorstypes.QueryHostKeyResponse, error) {
	return &operatorstypes.QueryHostKeyResponse{Key: operatorstypes.HostKey{Operator: w.operator}}, nil
}

func (r omittedReceipts) Payer(context.Context, *receiptstypes.QueryPayerRequest, ...grpc.CallOption) (*receiptstypes.QueryPayerResponse, error) {
	return &receiptstypes.QueryPayerResponse{}, nil
}

func (r omittedReceipts) Batches(context.Context, *receiptstypes.QueryBatchesRequest, ...grpc.CallOption) (*receiptstypes.QueryBatchesResponse, error) {
	return &receiptstypes.QueryBatchesResponse{Batches: []receiptstypes.Batch{{HostKey: make([]byte, 20)}, r.w.batch}}, nil
}

func testKey(t *testing.T, name string) *receipt.PrivateKey {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// record is a valid one of a seq; nonce makes it another job.
func (w *omittedWorld) record(seq, nonce uint64) []byte {
	r := receipt.Record{
		Auth: receipt.JobAuth{Payer: receipt.KeyAddress(w.payer), Operator: receipt.KeyAddress(w.host), MaxAmount: 10, Nonce: nonce, IssuedAt: 5, ExpiresAt: 9},
		Seq:  seq, Epoch: 3, Outcome: receipt.OutcomeOK, Amount: 7, ServedAt: 6,
	}
	r.SigPayer = receipt.Sign(w.payer, r.JobID(testDomain))
	r.SigOperator = receipt.Sign(w.host, r.Digest(testDomain))
	return r.AppendSR1(nil)
}

func newOmittedWorld(t *testing.T) *omittedWorld {
	t.Helper()
	w := &omittedWorld{host: testKey(t, "host"), payer: testKey(t, "payer")}
	account := bytes.Repeat([]byte{7}, 20)
	var err error
	if w.operator, err = bech32.ConvertAndEncode(app.Bech32Prefix, account); err != nil {
		t.Fatal(err)
	}
	records := [][]byte{w.record(10, 10), w.record(20, 20), w.record(40, 40)}
	var leaves []sumtree.Leaf
	for _, sr1 := range records {
		r, err := receipt.Decode(sr1)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := sumtree.LeafOf(&r, r.JobID(testDomain), sr1)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	tree, err := sumtree.Build(leaves)
	if err != nil {
		t.Fatal(err)
	}
	root, key := tree.Root(), receipt.KeyAddress(w.host)
	file, err := da.Encode(records)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	w.batch = receiptstypes.Batch{
		Id: 4, HostKey: key[:], HostId: make([]byte, 32), Epoch: 3, Count: 3, DaSha256: sum[:], Groups: []receiptstypes.Group{{
			Settler: account, ModelId: make([]byte, 32), AdapterId: make([]byte, 32), Count: 3, FirstSeq: 10, LastSeq: 40,
			AmountUusdc: root.Amount, Tokens: root.Tokens, Ok: root.OK, Fail: root.Fail, Root: root.Hash[:],
		}},
	}
	w.b = &bundler{operators: w, receipts: omittedReceipts{w: w}, options: bundleOptions{sources: []string{write(t, "da", string(file))}}}
	return w
}

func TestOmissionIsShownByWhatIsAroundIt(t *testing.T) {
	w := newOmittedWorld(t)
	groups, err := batchGroups(&w.batch)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		seq, nonce uint64
		around     int
	}{
		"outside every range":    {50, 50, 0},
		"between two":            {30, 30, 2},
		"seq is another job's":   {20, 21, 1},
		"seq of the first leaf":  {10, 11, 1},
		"just behind the second": {21, 22, 2},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := w.b.omission(t.Context(), w.record(c.seq, c.nonce), testDomain)
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Around) != c.around {
				t.Fatalf("%d openings, want %d", len(e.Around), c.around)
			}
			read, err := fraud.DecodeOmission(e.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			record, job, err := read.Record(receipt.Checker{Domain: testDomain})
			if err != nil {
				t.Fatal(err)
			}
			if err := read.Check(record.Seq, job, 4, 0, &groups[0]); c.around > 0 && err != nil {
				t.Errorf("the chain would refuse it: %v", err)
			}
		})
	}
}

func TestOmissionRefusals(t *testing.T) {
	w := newOmittedWorld(t)
	if _, err := w.b.omission(t.Context(), w.record(20, 20), testDomain); !errors.Is(err, errClaimed) {
		t.Errorf("claimed receipt: got %v, want errClaimed", err)
	}
	forged := w.record(30, 30)
	forged[290]++ // the amount
	if _, err := w.b.omission(t.Context(), forged, testDomain); !errors.Is(err, receipt.ErrBadOperatorSig) && !errors.Is(err, receipt.ErrAmountOverMax) {
		t.Errorf("forged receipt: got %v, want that a rule is named", err)
	}
	w.b.options.sources = nil
	if _, err := w.b.omission(t.Context(), w.record(30, 30), testDomain); !errors.Is(err, errNoSource) {
		t.Errorf("no source: got %v, want errNoSource", err)
	}
}

func TestReadSR1(t *testing.T) {
	sr1 := newOmittedWorld(t).record(1, 1)
	for name, text := range map[string][]byte{
		"bytes": sr1, "hex": []byte(hex.EncodeToString(sr1) + "\n"), "base64url": []byte(base64.RawURLEncoding.EncodeToString(sr1) + "\n"),
	} {
		if got, err := readSR1(text); err != nil || !bytes.Equal(got, sr1) {
			t.Errorf("%s: %d bytes (%v)", name, len(got), err)
		}
	}
	if _, err := readSR1([]byte("nothing")); !errors.Is(err, errNotSR1) {
		t.Errorf("got %v, want errNotSR1", err)
	}
}
