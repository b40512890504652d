// SPDX-License-Identifier: Apache-2.0

// Package index remembers on disk where every job, seq and payment of every checked batch was claimed, so that a second claim
// is noticed whenever and by whomever it is made.
//
// An entry is 32 bytes: a key of 16 and a place of 16. A key is the first half of SHA-256 over a secret of this index, a kind
// and what is claimed: nobody who does not know the secret can make two things share a key. The first place of a key stays.
//
// New entries are in memory and in a log; when they are many they become a run, a file of entries in the order of their keys.
// Runs of about one size are merged into a larger one, so that there are few. In memory there are a bounded number of new
// entries and, of each run, one number for every 64 entries: half a MiB for ten million receipts.
package index

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// maxNew is how many entries are in memory before they become a run: 16 MiB of them.
const maxNew = 1 << 19

// ErrDamaged says that a file is not what this package writes. Delete the directory: the index is made anew from the batches.
var ErrDamaged = errors.New("index is damaged: delete its directory and watch.db, and start again")

// Kind says what is claimed.
type Kind uint8

// The kinds of claims, the gravest first.
const (
	// Job is a jobId.
	Job Kind = iota + 1
	// Seq is a host key and a seq.
	Seq
	// Payment is who settles and a payment reference.
	Payment
)

// Place is where something is claimed: a leaf of a group of a batch, the latter two counted from 0.
type Place struct {
	Batch       uint64
	Group, Leaf uint32
}

// Key names one claim.
type Key [16]byte

// Entry is one claim at one place.
type Entry struct {
	Kind  Kind
	Key   Key
	Place Place
}

// Conflict is something that is claimed at two places.
type Conflict struct {
	Kind          Kind
	First, Second Place
}

// Index is the directory. Key may be called at any time, the other methods one at a time.
type Index struct {
	dir    string
	secret [16]byte
	log    *log
	fresh  map[Key]Place
	runs   []*run // the largest first
	next   uint64 // the number of the next run
}

// Open opens or makes the index in a directory. Errors: ErrDamaged, or the file system's.
func Open(dir string) (*Index, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	x := &Index{dir: dir, fresh: make(map[Key]Place)}
	for _, load := range []func() error{x.loadSecret, x.loadRuns, x.loadLog} {
		if err := load(); err != nil {
			return nil, errors.Join(err, x.Close())
		}
	}
	return x, nil
}

func (x *Index) loadSecret() error {
	path := filepath.Join(x.dir, "secret")
	raw, err := os.ReadFile(path)
	switch {
	case err == nil && len(raw) == len(x.secret):
		x.secret = [16]byte(raw)
		return nil
	case err == nil:
		return fmt.Errorf("%w: secret", ErrDamaged)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("index: %w", err)
	}
	if _, err := rand.Read(x.secret[:]); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return replace(path, func(f *os.File) error {
		_, err := f.Write(x.secret[:])
		return err
	})
}

func (x *Index) loadRuns() error {
	paths, err := filepath.Glob(filepath.Join(x.dir, "*.run"))
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	for _, path := range paths {
		var number uint64
		if _, err := fmt.Sscanf(filepath.Base(path), "%016x.run", &number); err != nil {
			return fmt.Errorf("%w: %s", ErrDamaged, path)
		}
		x.next = max(x.next, number+1)
		r, err := openRun(path)
		if err != nil {
			return err
		}
		x.runs = append(x.runs, r)
	}
	x.sortRuns()
	return nil
}

func (x *Index) loadLog() (err error) {
	x.log, err = openLog(filepath.Join(x.dir, "log"), func(key Key, place Place) { x.fresh[key] = place })
	return err
}

func (x *Index) sortRuns() {
	slices.SortFunc(x.runs, func(a, b *run) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.path, b.path)) })
}

// Close ends the index.
func (x *Index) Close() error {
	var errs []error
	for _, r := range x.runs {
		errs = append(errs, r.file.Close())
	}
	if x.log != nil {
		errs = append(errs, x.log.file.Close())
	}
	return errors.Join(errs...)
}

// Key returns the key of what is claimed.
func (x *Index) Key(kind Kind, parts ...[]byte) Key {
	var buffer [128]byte
	b := append(append(buffer[:0], x.secret[:]...), byte(kind))
	for _, part := range parts {
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return Key(sum[:16])
}

// Add remembers claims and returns those that were claimed at another place before, or twice among these. Adding the same
// again changes and returns nothing new. All entries are on disk when it returns. It sorts entries.
func (x *Index) Add(entries []Entry) ([]Conflict, error) {
	slices.SortFunc(entries, compare)
	var conflicts []Conflict
	var added []Entry
	for first := 0; first < len(entries); {
		end := first + 1
		for end < len(entries) && entries[end].Key == entries[first].Key {
			end++
		}
		same := entries[first:end]
		first = end
		holder, known, err := x.lookup(&same[0].Key)
		if err != nil {
			return nil, err
		}
		if !known {
			holder = same[0].Place
			added = append(added, same[0])
		}
		for i := range same {
			if same[i].Place != holder {
				conflicts = append(conflicts, Conflict{Kind: same[i].Kind, First: holder, Second: same[i].Place})
			}
		}
	}
	return conflicts, x.remember(added)
}

// remember makes entries durable and known.
func (x *Index) remember(added []Entry) error {
	if len(added) == 0 {
		return nil
	}
	if err := x.log.append(added); err != nil {
		return err
	}
	for i := range added {
		x.fresh[added[i].Key] = added[i].Place
	}
	if len(x.fresh) < maxNew {
		return nil
	}
	return x.flush()
}

func (x *Index) lookup(key *Key) (Place, bool, error) {
	if place, ok := x.fresh[*key]; ok {
		return place, true, nil
	}
	for _, r := range x.runs {
		if place, ok, err := r.lookup(key); err != nil || ok {
			return place, ok, err
		}
	}
	return Place{}, false, nil
}

// flush makes a run of the new entries. They stay in the log until the run is there; after a crash in between they are in both.
func (x *Index) flush() error {
	entries := make([]Entry, 0, len(x.fresh))
	for key, place := range x.fresh {
		entries = append(entries, Entry{Key: key, Place: place})
	}
	slices.SortFunc(entries, compare)
	made, err := x.writeRun(func(write func([]byte) error) error {
		var raw [entrySize]byte
		for i := range entries {
			if err := write(entries[i].put(raw[:0])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.runs = append(x.runs, made...)
	x.sortRuns()
	if err := x.log.reset(); err != nil {
		return err
	}
	clear(x.fresh)
	return x.compact()
}

// fanout is how many runs of about one size become one.
const fanout = 4

// compact merges the smallest runs as long as the last of them are fanout of about one size.
func (x *Index) compact() error {
	for len(x.runs) >= fanout {
		small := x.runs[len(x.runs)-fanout:]
		if small[0].count > 2*small[fanout-1].count {
			return nil
		}
		if err := x.merge(small, 0); err != nil {
			return err
		}
	}
	return nil
}

// merge puts one run in the place of several, without the claims of batches before the given one.
func (x *Index) merge(old []*run, before uint64) error {
	old = slices.Clone(old)
	made, err := x.writeRun(func(write func([]byte) error) error { return mergeRuns(old, before, write) })
	if err != nil {
		return err
	}
	x.runs = append(slices.DeleteFunc(x.runs, func(r *run) bool { return slices.Contains(old, r) }), made...)
	x.sortRuns()
	var errs []error
	for _, r := range old {
		errs = append(errs, r.file.Close(), os.Remove(r.path))
	}
	return errors.Join(errs...)
}

// Prune forgets every claim of a batch before the given one.
func (x *Index) Prune(before uint64) error {
	if len(x.fresh) > 0 {
		if err := x.flush(); err != nil {
			return err
		}
	}
	if len(x.runs) == 0 {
		return nil
	}
	return x.merge(x.runs, before)
}

// compare sorts by key and then by place.
func compare(a, b Entry) int {
	return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.Place.Batch, b.Place.Batch),
		cmp.Compare(a.Place.Group, b.Place.Group), cmp.Compare(a.Place.Leaf, b.Place.Leaf))
}

const entrySize = 32

func (e *Entry) put(dst []byte) []byte {
	dst = append(dst, e.Key[:]...)
	dst = binary.BigEndian.AppendUint64(dst, e.Place.Batch)
	dst = binary.BigEndian.AppendUint32(dst, e.Place.Group)
	return binary.BigEndian.AppendUint32(dst, e.Place.Leaf)
}

// entryOf reads an entry off the front of b, which must have its 32 bytes.
func entryOf(b []byte) (Key, Place) {
	return Key(b[:16]), Place{Batch: binary.BigEndian.Uint64(b[16:]), Group: binary.BigEndian.Uint32(b[24:]), Leaf: binary.BigEndian.Uint32(b[28:])}
}
