// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/da"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

var testDomain = receipt.NewDomain("local-test-1", 8453)

// someBatch is a settled batch of two groups with three and two receipts, and its DA file.
func someBatch(t *testing.T) (receiptstypes.Batch, [][]byte, []byte) {
	t.Helper()
	var records [][]byte
	batch := receiptstypes.Batch{Id: 5, HostKey: make([]byte, 20), HostId: make([]byte, 32), LogIndex: 3, Count: 5}
	for group, count := range []int{3, 2} {
		var leaves []sumtree.Leaf
		for range count {
			r := receipt.Record{Seq: uint64(len(records) + 1), Outcome: receipt.OutcomeOK, Amount: 5, PromptTokens: 7}
			sr1 := r.AppendSR1(nil)
			leaf, err := sumtree.LeafOf(&r, r.JobID(testDomain), sr1)
			if err != nil {
				t.Fatal(err)
			}
			leaves, records = append(leaves, leaf), append(records, sr1)
		}
		tree, err := sumtree.Build(leaves)
		if err != nil {
			t.Fatal(err)
		}
		root := tree.Root()
		batch.Groups = append(batch.Groups, receiptstypes.Group{
			Settler: bytes.Repeat([]byte{byte(group)}, 20), ModelId: make([]byte, 32), AdapterId: make([]byte, 32), Count: uint64(count),
			AmountUusdc: root.Amount, Tokens: root.Tokens, Ok: root.OK, Fail: root.Fail, Root: root.Hash[:],
		})
	}
	file, err := da.Encode(records)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	batch.DaSha256 = sum[:]
	return batch, records, file
}

func TestOpenFromFile(t *testing.T) {
	batch, records, file := someBatch(t)
	path := write(t, "da", string(file))
	second := bundleOptions{sources: []string{path}, group: 1, leaf: 1}
	b := &bundler{options: second}
	got, err := b.open(t.Context(), batch, wanted{}, testDomain)
	if err != nil || got.group != 1 || got.opening.Index != 1 || !bytes.Equal(got.record, records[4]) {
		t.Fatalf("by place: %+v, %v", got, err)
	}
	r, err := receipt.Decode(records[2])
	if err != nil {
		t.Fatal(err)
	}
	job := r.JobID(testDomain)
	// All records of this test are of one job, so the first is found.
	if got, err = b.open(t.Context(), batch, wanted{job: &job}, testDomain); err != nil || got.group != 0 || got.opening.Index != 0 {
		t.Errorf("by job: %+v, %v", got, err)
	}
	if got, err = b.open(t.Context(), batch, wanted{record: &r, sr1: records[2]}, testDomain); err != nil || got.opening.Index != 2 {
		t.Errorf("by record: %+v, %v", got, err)
	}
	if _, err = got.opening.Verify(sumtree.Entry{}); err == nil {
		t.Error("an opening leads to any root")
	}
}

func TestOpenRefusals(t *testing.T) {
	batch, records, file := someBatch(t)
	path := write(t, "da", string(file))
	for _, c := range []struct {
		name   string
		change func(*receiptstypes.Batch, *bundleOptions)
		want   error
	}{
		{"no such leaf", func(_ *receiptstypes.Batch, o *bundleOptions) { o.leaf = 3 }, errNoLeaf},
		{"no such group", func(_ *receiptstypes.Batch, o *bundleOptions) { o.group = 2 }, errNoLeaf},
		{"not settled", func(b *receiptstypes.Batch, _ *bundleOptions) { b.LogIndex = 0 }, errNotSettled},
		{"no source", func(_ *receiptstypes.Batch, o *bundleOptions) { o.sources = nil }, errNoSource},
		{"no such file", func(_ *receiptstypes.Batch, o *bundleOptions) { o.sources = []string{path + "x"} }, os.ErrNotExist},
		{"another file", func(b *receiptstypes.Batch, _ *bundleOptions) { b.DaSha256 = make([]byte, 32) }, errDAHash},
		{"larger than the batch", func(b *receiptstypes.Batch, _ *bundleOptions) { b.Count = 1 }, errDALength},
		{"more receipts than records", func(b *receiptstypes.Batch, _ *bundleOptions) { b.Groups[0].Count = 6 }, errDAContent},
		{"another root", func(b *receiptstypes.Batch, _ *bundleOptions) { b.Groups[0].Root[0]++ }, errDAContent},
		{"another sum", func(b *receiptstypes.Batch, _ *bundleOptions) { b.Groups[0].AmountUusdc++ }, errDAContent},
		{"group without a settler", func(b *receiptstypes.Batch, _ *bundleOptions) { b.Groups[1].Settler = nil }, errNodeAnswer},
	} {
		changed, _, _ := someBatch(t)
		b := &bundler{options: bundleOptions{sources: []string{path}}}
		c.change(&changed, &b.options)
		if _, err := b.open(t.Context(), changed, wanted{}, testDomain); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	one := batch
	one.Count, one.Groups = 1, one.Groups[:1]
	if got, err := (&bundler{}).records(t.Context(), &one, wanted{record: &receipt.Record{}, sr1: records[0]}); err != nil || len(got) != 1 {
		t.Errorf("a batch of one receipt needs no DA file: %v", err)
	}
}

// No host is asked but those on the command line, and no redirect leads elsewhere.
func TestDAIsAskedOnlyWhereAllowed(t *testing.T) {
	batch, _, file := someBatch(t)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case fmt.Sprintf("/da/%x", batch.DaSha256):
			_, _ = w.Write(file)
		case fmt.Sprintf("/away/da/%x", batch.DaSha256):
			http.Redirect(w, r, fmt.Sprintf("/da/%x", batch.DaSha256), http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	batch.DaUri = fmt.Sprintf("%s/da/%x", server.URL, batch.DaSha256)
	for _, c := range []struct {
		name    string
		options bundleOptions
		want    error
		asked   int
	}{
		{"by --da", bundleOptions{sources: []string{server.URL + "/"}}, nil, 1},
		{"the batch's own, allowed", bundleOptions{allowHosts: []string{server.Listener.Addr().String()}}, nil, 1},
		{"the batch's own, not allowed", bundleOptions{allowHosts: []string{"127.0.0.1"}}, errNoSource, 0},
		{"redirected", bundleOptions{sources: []string{server.URL + "/away"}}, errDAStatus, 1},
		{"not there", bundleOptions{sources: []string{server.URL + "/none"}}, errDAStatus, 1},
	} {
		asked = 0
		_, err := (&bundler{options: c.options}).open(t.Context(), batch, wanted{}, testDomain)
		if !errors.Is(err, c.want) || asked != c.asked {
			t.Errorf("%s: %v, asked %d times, want %d", c.name, err, asked, c.asked)
		}
	}
}

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		options bundleOptions
		want    error
	}{
		{bundleOptions{}, errWhichReceipt},
		{bundleOptions{job: "12"}, errJobID},
		{bundleOptions{recordFile: write(t, "record", "short")}, receipt.ErrBadLength},
		{bundleOptions{batch: 1}, nil},
	} {
		if _, err := c.options.wanted(); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.options, err)
		}
	}
}
