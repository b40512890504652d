// SPDX-License-Identifier: Apache-2.0

package app

import (
	"sync"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// signerCacheSize is four anchors of 256 members.
const signerCacheSize = 1_024

// signed is what a signature was recovered from.
type signed struct {
	digest    [32]byte
	signature [65]byte
}

// signerCache remembers who made a signature: a vote is verified when it arrives, when it is proposed, when the proposal is checked
// and when the block runs. It holds results of a pure function, so that no outcome depends on what it holds.
type signerCache struct {
	mu      sync.Mutex
	signers map[signed][20]byte
}

func newSignerCache() *signerCache { return &signerCache{signers: make(map[signed][20]byte)} }

// recover is receipt.RecoverAddress.
func (c *signerCache) recover(digest [32]byte, signature [65]byte) ([20]byte, error) {
	key := signed{digest: digest, signature: signature}
	c.mu.Lock()
	signer, ok := c.signers[key]
	c.mu.Unlock()
	if ok {
		return signer, nil
	}
	signer, err := receipt.RecoverAddress(digest, signature)
	if err != nil {
		return signer, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.signers) >= signerCacheSize {
		clear(c.signers)
	}
	c.signers[key] = signer
	return signer, nil
}
