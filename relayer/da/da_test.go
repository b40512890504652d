// SPDX-License-Identifier: Apache-2.0

package da_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/relayer/da"
)

func record(size int, fill byte) []byte { return bytes.Repeat([]byte{fill}, size) }

func TestFileIsNamedByItsHashAndGivesItsRecordsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "da")
	dir, err := da.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]byte{record(533, 1), record(598, 2), record(533, 3)}
	sum, err := dir.Write(want)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(dir.Path(sum))
	if err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(raw) != sum || len(raw) != 2+533+2+598+2+533 || raw[0] != 533>>8 || raw[1] != 533&0xff || raw[535] != 598>>8 {
		t.Errorf("file of %d bytes does not have the documented form", len(raw))
	}
	got, err := dir.Read(sum)
	if err != nil || len(got) != 3 || !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
		t.Errorf("%d records (%v)", len(got), err)
	}
	if again, err := dir.Write(want); err != nil || again != sum {
		t.Errorf("written again it is %x (%v)", again, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 {
		t.Errorf("directory has %d entries (%v), want 1", len(entries), err)
	}
	if err := errors.Join(dir.Remove(sum), dir.Remove(sum)); err != nil {
		t.Error(err)
	}
	if _, err := dir.Read(sum); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed file: got %v", err)
	}
}

func TestDamageIsFound(t *testing.T) {
	dir, err := da.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sum, err := dir.Write([][]byte{record(533, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir.Path(sum), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Read(sum); !errors.Is(err, da.ErrWrongHash) {
		t.Errorf("got %v, want ErrWrongHash", err)
	}
	if _, err := dir.Write([][]byte{record(534, 1)}); !errors.Is(err, da.ErrBadRecord) {
		t.Errorf("record of 534 bytes: got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := da.Encode([][]byte{record(533, 1), record(598, 2)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, file []byte) {
		records, err := da.Decode(file)
		if err != nil {
			if !errors.Is(err, da.ErrBadFile) {
				t.Fatalf("got %v", err)
			}
			return
		}
		if again, err := da.Encode(records); err != nil || !bytes.Equal(again, file) {
			t.Fatalf("encodes to other bytes (%v)", err)
		}
	})
}
