// SPDX-License-Identifier: Apache-2.0

package jobbook

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/gpucoord/gpucoord/host/receiptlog"
)

const (
	// expiryMargin is how long after its end an authorisation is remembered, in seconds: more than any clock slack.
	expiryMargin = 600
	// bucketSeconds is the span of expiry times that are forgotten together. An authorisation lives for an hour, so there are few buckets.
	bucketSeconds = 600
)

// nonceKey is a keyed hash of payer and nonce, under a secret of this process. Two pairs share one by chance
// alone, once in 2^64 over their number: the second job is then refused as if its nonce were used, which costs a new authorisation. A used nonce is
// never taken for a fresh one.
type nonceKey uint64

// spent is what is remembered of every job for as long as its authorisation could come again, in 8 bytes, for there are many: the
// first seven bytes of the job's id, which tell it from another one with the same nonce, and its state.
type spent uint64

func spentOf(jobID [32]byte, s state) spent {
	return spent(binary.BigEndian.Uint64(jobID[:])&^0xff | uint64(s))
}

// of reports whether it is of that job.
func (s spent) of(jobID [32]byte) bool { return s&^0xff == spentOf(jobID, 0) }

func (s spent) state() state { return state(s & 0xff) }

// nonces are the used nonces by the time their authorisations expire.
type nonces struct {
	secret  maphash.Seed
	buckets map[uint64]map[nonceKey]spent
	pruned  uint64 // the latest time of a pruning, in Unix seconds
}

func newNonces() nonces {
	return nonces{secret: maphash.MakeSeed(), buckets: make(map[uint64]map[nonceKey]spent)}
}

func (n *nonces) keyOf(a *receiptlog.Admission) nonceKey {
	var b [28]byte
	copy(b[:], a.Payer[:])
	binary.BigEndian.PutUint64(b[20:], a.Nonce)
	return nonceKey(maphash.Bytes(n.secret, b[:]))
}

func bucketOf(expiresAt uint64) uint64 { return expiresAt / bucketSeconds }

// over reports whether every authorisation of a bucket has expired for longer than the margin.
func over(bucket, now uint64) bool { return bucket+1+expiryMargin/bucketSeconds <= now/bucketSeconds }

// put remembers a nonce, unless its authorisation has expired long ago.
func (n *nonces) put(a *receiptlog.Admission, s state) {
	bucket := bucketOf(a.ExpiresAt)
	if over(bucket, n.pruned) {
		return
	}
	m := n.buckets[bucket]
	if m == nil {
		m = make(map[nonceKey]spent)
		n.buckets[bucket] = m
	}
	m[n.keyOf(a)] = spentOf(a.JobID, s)
}

func (n *nonces) remove(a *receiptlog.Admission) {
	delete(n.buckets[bucketOf(a.ExpiresAt)], n.keyOf(a))
}

func (n *nonces) find(a *receiptlog.Admission) (spent, bool) {
	key := n.keyOf(a)
	for _, m := range n.buckets {
		if s, ok := m[key]; ok {
			return s, true
		}
	}
	return 0, false
}

func (n *nonces) prune(now uint64) {
	n.pruned = now
	for bucket := range n.buckets {
		if over(bucket, now) {
			delete(n.buckets, bucket)
		}
	}
}

func (n *nonces) len() (sum int) {
	for _, m := range n.buckets {
		sum += len(m)
	}
	return sum
}
