// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"encoding/binary"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// turn spreads relayers of one contract over time, so that usually one pays.
type turn struct {
	// held is the contract's nonce, since is when there was first something to follow it.
	held  uint64
	since time.Time
	// pendingSince is when somebody's transaction for it was first seen on its way.
	pendingSince time.Time
}

// renew starts the wait anew when the contract moved.
func (t *turn) renew(held uint64, now time.Time) {
	if t.since.IsZero() || t.held != held {
		*t = turn{held: held, since: now}
	}
}

// delay is a relayer's wait after which it follows the anchor with this nonce: another order for each nonce, that nobody chooses.
func delay(held uint64, account common.Address, window time.Duration) time.Duration {
	hash := crypto.Keccak256(binary.BigEndian.AppendUint64(nil, held), account[:])
	return window / (1 << 16) * time.Duration(binary.BigEndian.Uint16(hash))
}
