// SPDX-License-Identifier: Apache-2.0

package receiptlog

// location is where a job's frames are; final is 0 while there is no countersignature (offset 0 is always a header).
type location struct{ receipt, final int64 }

// jobKey is the first half of a job's id, a SHA-256 digest: there are many, and 128 bits tell them apart.
type jobKey [16]byte

func keyOf(jobID [32]byte) jobKey { return jobKey(jobID[:]) }

// index finds receipts by job. It holds the newest epochs only, one map each, so that forgetting an epoch is one deletion.
// It is guarded by Log.mu.
type index struct {
	epochs map[uint64]map[jobKey]location
	keep   uint64 // epochs before newest - keep are forgotten
	newest uint64
}

func newIndex(keep uint64) *index {
	return &index{epochs: make(map[uint64]map[jobKey]location), keep: keep}
}

func (x *index) add(epoch uint64, jobID [32]byte, off int64) {
	if epoch > x.newest {
		x.newest = epoch
		for e := range x.epochs {
			if x.forgotten(e) {
				delete(x.epochs, e)
			}
		}
	}
	if x.forgotten(epoch) {
		return
	}
	jobs := x.epochs[epoch]
	if jobs == nil {
		jobs = make(map[jobKey]location)
		x.epochs[epoch] = jobs
	}
	jobs[keyOf(jobID)] = location{receipt: off}
}

func (x *index) forgotten(epoch uint64) bool { return x.newest > x.keep && epoch < x.newest-x.keep }

// finalise notes a countersignature; the first one stays.
func (x *index) finalise(jobID [32]byte, off int64) {
	for _, jobs := range x.epochs {
		if loc, ok := jobs[keyOf(jobID)]; ok {
			if loc.final == 0 {
				loc.final = off
				jobs[keyOf(jobID)] = loc
			}
			return
		}
	}
}

func (x *index) find(jobID [32]byte) (location, bool) {
	for _, jobs := range x.epochs {
		if loc, ok := jobs[keyOf(jobID)]; ok {
			return loc, true
		}
	}
	return location{}, false
}

func (x *index) len() (n int) {
	for _, jobs := range x.epochs {
		n += len(jobs)
	}
	return n
}
