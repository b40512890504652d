// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"sync/atomic"
)

// issuedEarlier is how far before the present an authorisation begins, in seconds: a host's clock may be behind.
const issuedEarlier = 5

// keyLife knows from when on the gateway's key is its own on the chain. What was issued before that second is nobody's, and refused.
type keyLife struct {
	ask  func(ctx context.Context, payer [20]byte) (uint64, error)
	from atomic.Uint64 // 0 until it is known; it never changes then
}

// refresh asks the chain until it has answered.
func (k *keyLife) refresh(ctx context.Context, payer [20]byte) error {
	if k.from.Load() != 0 {
		return nil
	}
	from, err := k.ask(ctx, payer)
	if err != nil {
		return err
	}
	k.from.Store(from)
	return nil
}

// issuedAt is when an authorisation that is signed now begins, in Unix seconds: a little earlier, but never before the key is valid. A
// key that was registered just now is valid only after the chain's notice; until shortly before, hosts refuse what it signs as not begun
// yet, and nobody serves it at an operator's cost. As long as nothing is known of the key it begins now.
func (k *keyLife) issuedAt(now uint64) uint64 {
	from := k.from.Load()
	if from == 0 {
		return now
	}
	return max(from, now-min(now, issuedEarlier))
}
