// SPDX-License-Identifier: Apache-2.0

package log_test

import (
	"testing"

	"github.com/gpucoord/gpucoord/domain/log"
)

// FuzzVerify checks that no sizes and no path panic, and that a path which nobody could have made proves nothing.
func FuzzVerify(f *testing.F) {
	f.Add(uint64(0), uint64(0), []byte(nil))
	f.Add(uint64(1), uint64(1), []byte(nil))
	f.Add(uint64(6), uint64(7), make([]byte, 4*32))
	f.Add(uint64(1)<<63, ^uint64(0), make([]byte, 64*32))
	f.Add(^uint64(0), ^uint64(0), make([]byte, 32))
	f.Add(^uint64(0)-1, ^uint64(0), make([]byte, 65*32))
	f.Fuzz(func(t *testing.T, a, b uint64, raw []byte) {
		path := make([][32]byte, len(raw)/32)
		for i := range path {
			copy(path[i][:], raw[32*i:])
		}
		root, other := log.LeafHash([]byte("root")), log.LeafHash([]byte("other"))
		if err := log.VerifyInclusion(root, b, a, other, path); err == nil {
			t.Fatalf("leaf %d of %d is proven by garbage", a, b)
		}
		if err := log.VerifyConsistency(root, other, a, b, path); err == nil {
			t.Fatalf("sizes %d and %d are proven by garbage", a, b)
		}
		r := log.Range{Size: a, Hashes: path}
		if r.Append(other) == nil && r.Size != a+1 {
			t.Fatalf("size %d after an append to %d", r.Size, a)
		}
	})
}
