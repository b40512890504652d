// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/da"
	"github.com/gpucoord/gpucoord/relayer/internal/receipttest"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/watch"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

var (
	reporter = [20]byte{1: 9}
	operator = [20]byte{2: 7}
)

// fixture is a watchtower with a chain and a server of DA files.
type fixture struct {
	t      *testing.T
	m      *receipttest.Maker
	chain  *fakeChain
	outbox *store.Store
	server *httptest.Server
	files  map[string][]byte
	asked  int
	cfg    watch.Config
	w      *watch.Watcher
	// reopen closes and opens the watchtower before each step, as a program that dies all the time does.
	reopen bool
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, m: receipttest.New(), files: make(map[string][]byte)}
	f.chain = newFakeChain(t, f.m)
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked++
		file, ok := f.files[strings.TrimPrefix(r.URL.Path, "/da/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(file)
	}))
	t.Cleanup(f.server.Close)
	var err error
	if f.outbox, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "outbox.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.outbox.Close() })
	f.cfg = watch.Config{
		Dir: t.TempDir(), Reporter: reporter, MaxBytes: 1 << 30, CacheBytes: 1 << 30, FetchTries: 2, Fetches: 1, Workers: 2,
		Interval: time.Second, Checker: receipt.Checker{Domain: f.m.Domain},
	}
	f.open()
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	f.openWith(f.outbox)
}

func (f *fixture) openWith(outbox watch.Outbox) {
	f.t.Helper()
	policy, err := da.ParsePolicy([]string{strings.TrimPrefix(f.server.URL, "http://")})
	if err != nil {
		f.t.Fatal(err)
	}
	f.w, err = watch.New(f.t.Context(), watch.Sources{
		Chain: f.chain, Queries: f.chain.queries(), Outbox: outbox, Fetcher: da.NewFetcher(policy, time.Minute),
	}, f.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		f.t.Fatal(err)
	}
	w := f.w
	f.t.Cleanup(func() { _ = w.Close() })
}

// rounds runs every step and a block, some times.
func (f *fixture) rounds(n int) {
	f.t.Helper()
	for range n {
		for i := range 5 {
			if f.reopen {
				if err := f.w.Close(); err != nil {
					f.t.Fatal(err)
				}
				f.open()
			}
			steps := []func() error{
				func() error { return f.w.Follow(f.t.Context()) }, func() error { return f.w.Fetch(f.t.Context()) },
				func() error { return f.w.Check(f.t.Context()) }, func() error { return f.w.Resolve(f.t.Context()) },
				func() error { return f.w.File(f.t.Context()) },
			}
			if err := steps[i](); err != nil {
				f.t.Fatalf("step %d: %v", i, err)
			}
		}
		f.chain.block(f.outbox)
	}
}

// want checks what was filed, and that nothing else was.
func (f *fixture) want(kind watch.Kind, result string) {
	f.t.Helper()
	st, err := f.w.Status(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, k := range watch.Kinds {
		for r, n := range st.Filed[k] {
			switch {
			case k == kind && r == result && n != 1:
				f.t.Errorf("%s %s: %d times, want once", k, r, n)
			case (k != kind || r != result) && n != 0:
				f.t.Errorf("%s %s: %d times, want none", k, r, n)
			}
		}
	}
}

// part is one group of a batch that is to be claimed.
type part struct {
	records []receipt.Record
	// leaf changes what the tree says of a record, entry changes an entry of the tree, group changes what is claimed of it.
	leaf  func(i int, l *sumtree.Leaf)
	entry func(level, i int, e *sumtree.Entry)
	group func(g *receiptstypes.Group)
}

// claim submits a batch of the maker's host and serves its file.
func (f *fixture) claim(parts ...part) *receiptstypes.Batch {
	f.t.Helper()
	b := &receiptstypes.Batch{
		Operator: chain.Bech32(operator[:]), HostId: bytes.Clone(f.m.HostID[:]), Epoch: receipttest.Epoch,
		Status: receiptstypes.BatchStatus_BATCH_STATUS_SUBMITTED,
	}
	key := f.m.HostKeyAddress()
	b.HostKey = key[:]
	var all [][]byte
	for _, p := range parts {
		var leaves []sumtree.Leaf
		for i := range p.records {
			sr1 := p.records[i].AppendSR1(nil)
			leaf, err := sumtree.LeafOf(&p.records[i], p.records[i].JobID(f.m.Domain), sr1)
			if err != nil {
				f.t.Fatal(err)
			}
			if p.leaf != nil {
				p.leaf(i, &leaf)
			}
			leaves, all = append(leaves, leaf), append(all, sr1)
		}
		root := rootOf(f.t, leaves, p.entry)
		g := receiptstypes.Group{
			Settler: operator[:], ModelId: f.m.Model[:], AdapterId: make([]byte, 32), Count: uint64(len(leaves)),
			AmountUusdc: root.Amount, Tokens: root.Tokens, Ok: root.OK, Fail: root.Fail, FirstSeq: leaves[0].Seq,
			LastSeq: leaves[len(leaves)-1].Seq, Root: root.Hash[:],
		}
		if p.group != nil {
			p.group(&g)
		}
		b.Groups = append(b.Groups, g)
		b.Count += g.Count
	}
	file, err := da.Encode(all)
	if err != nil {
		f.t.Fatal(err)
	}
	f.serve(b, file)
	f.chain.add(b)
	return b
}

// serve makes a file the batch's.
func (f *fixture) serve(b *receiptstypes.Batch, file []byte) {
	sum := sha256.Sum256(file)
	name := hex.EncodeToString(sum[:])
	f.files[name] = file
	b.DaSha256, b.DaUri = sum[:], f.server.URL+"/da/"+name
}

// rootOf builds a tree level by level, with entries changed on the way.
func rootOf(t *testing.T, leaves []sumtree.Leaf, change func(level, i int, e *sumtree.Entry)) sumtree.Entry {
	t.Helper()
	var level []sumtree.Entry
	for i := range leaves {
		level = append(level, leaves[i].Entry())
	}
	for n := 0; ; n++ {
		for i := range level {
			if change != nil {
				change(n, i, &level[i])
			}
		}
		if len(level) == 1 {
			return level[0]
		}
		var above []sumtree.Entry
		for i := 0; i < len(level); i += 2 {
			if i+1 == len(level) {
				above = append(above, level[i])
				continue
			}
			node, err := sumtree.Node(level[i], level[i+1])
			if err != nil {
				t.Fatal(err)
			}
			above = append(above, node)
		}
		level = above
	}
}

// records are the maker's of some seqs.
func (f *fixture) records(seqs ...uint64) (out []receipt.Record) {
	for _, seq := range seqs {
		out = append(out, f.m.Record(seq))
	}
	return out
}
