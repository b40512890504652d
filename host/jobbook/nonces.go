// SPDX-License-Identifier: Apache-2.0

package jobbook

import (
	"encoding/binary"

	"github.com/gpucoord/gpucoord/host/receiptlog"
)

const (
	// expiryMargin is how long after its end an authorisation is remembered, in seconds: more than any clock slack.
	expiryMargin = 600
	// bucketSeconds is the span of expiry times that are forgotten together. An authorisation lives for an hour, so there are few buckets.
	bucketSeconds = 600
)

// nonceKey is payer 20 | nonce u64.
type nonceKey [28]byte

// spent is what is remembered of every job for as long as its authorisation could come again: there are many, so it is small. The job is
// told from another one with the same nonce by the first bytes of its id.
type spent struct {
	job   [8]byte
	state state
}

// nonces are the used nonces by the time their authorisations expire.
type nonces struct {
	buckets map[uint64]map[nonceKey]spent
	pruned  uint64 // the latest time of a pruning, in Unix seconds
}

func keyOf(a *receiptlog.Admission) (k nonceKey) {
	copy(k[:], a.Payer[:])
	binary.BigEndian.PutUint64(k[20:], a.Nonce)
	return k
}

func short(jobID [32]byte) [8]byte { return [8]byte(jobID[:8]) }

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
	m[keyOf(a)] = spent{short(a.JobID), s}
}

func (n *nonces) remove(a *receiptlog.Admission) { delete(n.buckets[bucketOf(a.ExpiresAt)], keyOf(a)) }

func (n *nonces) find(k nonceKey) (spent, bool) {
	for _, m := range n.buckets {
		if s, ok := m[k]; ok {
			return s, true
		}
	}
	return spent{}, false
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
