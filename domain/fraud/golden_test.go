// SPDX-License-Identifier: Apache-2.0

package fraud_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/domain/fraud"
	"github.com/gpucoord/gpucoord/domain/sumtree"
)

var update = flag.Bool("update", false, "write testdata/golden/fraud.json anew; only for a change of the formats")

// golden is testdata/golden/fraud.json. Bytes are lower-case hex.
type golden struct {
	Note     string           `json:"note"`
	ChainID  string           `json:"cometChainId"`
	EVMChain uint64           `json:"chainId,string"`
	Groups   []goldenGroup    `json:"groups"`
	Evidence []goldenEvidence `json:"evidence"`
	IDs      []goldenID       `json:"ids"`
}

// goldenGroup is what the chain has committed: group 0 of a batch.
type goldenGroup struct {
	Batch    uint64 `json:"batch,string"`
	HostKey  string `json:"hostKey"`
	Count    uint64 `json:"count,string"`
	FirstSeq uint64 `json:"firstSeq,string"`
	LastSeq  uint64 `json:"lastSeq,string"`
	Root     string `json:"root"`
}

type goldenEvidence struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Bytes  string `json:"bytes"`
	Result string `json:"result"`
}

type goldenID struct {
	Subject uint8  `json:"subject"`
	Account string `json:"account"`
	Value   string `json:"value"`
	ID      string `json:"id"`
}

func goldenPath() string { return filepath.Join("..", "..", "testdata", "golden", "fraud.json") }

const proven = "PROVEN"

// goldenOf describes the world of the tests.
func goldenOf(w *world) golden {
	g := golden{
		Note: "made by domain/fraud with throwaway keys, never fund: evidence against the groups, and whether it proves anything; " +
			"batches are of one group, the records of an omission belong to batch 1",
		ChainID: "gpucoord-golden-1", EVMChain: 8453,
	}
	for batch := uint64(1); batch <= uint64(len(w.trees)); batch++ {
		group := &w.trees[batch].group
		g.Groups = append(g.Groups, goldenGroup{
			Batch: batch, HostKey: hex.EncodeToString(group.Operator[:]), Count: group.Count, FirstSeq: group.FirstSeq, LastSeq: group.LastSeq,
			Root: hex.EncodeToString(group.Root.Append(nil)),
		})
	}
	for _, p := range w.proofs() {
		g.Evidence = append(g.Evidence, goldenEvidence{Name: p.name, Kind: p.kind, Bytes: hex.EncodeToString(p.evidence), Result: proven})
	}
	sound := w.honest.node(1, 1, 1)
	ordered := fraud.Order{A: w.honest.placed(1, 1)}
	included := fraud.Omission{SR1: w.honest.sr1[2], Around: []fraud.Placed{w.honest.placed(1, 2)}}
	honest := fraud.Record{Placed: w.honest.placed(1, 3), SR1: w.honest.sr1[3]}
	same := fraud.Repeat{A: w.honest.placed(1, 2), B: w.honest.placed(1, 2)}
	once := fraud.Equivocation{SR1A: w.honest.sr1[1], SR1B: w.honest.sr1[1]}
	for _, p := range []proof{
		{"sound node", "node", sound.Append(nil)},
		{"leaf in its range", "order", ordered.Append(nil)},
		{"included record", "omission", included.Append(nil)},
		{"honest record", "record", honest.Append(nil)},
		{"one leaf twice", "repeat", same.Append(nil)},
		{"one record twice", "equivocation", once.Append(nil)},
	} {
		g.Evidence = append(g.Evidence, goldenEvidence{
			Name: p.name, Kind: p.kind, Bytes: hex.EncodeToString(p.evidence), Result: w.judge(p.kind, p.evidence).Error(),
		})
	}
	account, value := [20]byte{1, 2, 3}, fraud.Number(1_000_000)
	for subject := fraud.RepeatedJob; subject <= fraud.StaleAttestation; subject++ {
		id := fraud.ID(subject, account, value)
		g.IDs = append(g.IDs, goldenID{
			Subject: uint8(subject), Account: hex.EncodeToString(account[:]), Value: hex.EncodeToString(value[:]), ID: hex.EncodeToString(id[:]),
		})
	}
	return g
}

func TestGolden(t *testing.T) {
	if *update {
		data, err := json.MarshalIndent(goldenOf(theWorld()), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenPath(), append(data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(goldenPath())
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Groups) < 7 || len(g.Evidence) < 16 || len(g.IDs) < 7 {
		t.Fatalf("%d groups, %d pieces of evidence, %d ids", len(g.Groups), len(g.Evidence), len(g.IDs))
	}
	w := worldOf(t, &g)
	for _, e := range g.Evidence {
		b := unhex(t, e.Bytes)
		result := proven
		if err := w.judge(e.Kind, b); err != nil {
			result = err.Error()
		}
		if result != e.Result {
			t.Errorf("%s: got %q, want %q", e.Name, result, e.Result)
		}
		if back, err := again(e.Kind, b); err != nil || hex.EncodeToString(back) != e.Bytes {
			t.Errorf("%s is written back differently (%v)", e.Name, err)
		}
	}
	for _, id := range g.IDs {
		got := fraud.ID(fraud.Subject(id.Subject), [20]byte(unhex(t, id.Account)), [32]byte(unhex(t, id.Value)))
		if hex.EncodeToString(got[:]) != id.ID {
			t.Errorf("subject %d: got %x, want %s", id.Subject, got, id.ID)
		}
	}
}

// worldOf is the chain that the file describes.
func worldOf(t *testing.T, g *golden) *world {
	t.Helper()
	w := &world{trees: map[uint64]*tree{}}
	for _, group := range g.Groups {
		root, err := sumtree.DecodeEntry(unhex(t, group.Root))
		if err != nil {
			t.Fatal(err)
		}
		w.trees[group.Batch] = &tree{group: sumtree.Group{
			Operator: [20]byte(unhex(t, group.HostKey)), Count: group.Count, FirstSeq: group.FirstSeq, LastSeq: group.LastSeq, Root: root,
		}}
	}
	w.honest = w.trees[1]
	return w
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || strings.ToLower(text) != text {
		t.Fatalf("%q is not lower-case hex: %v", text, err)
	}
	return b
}
