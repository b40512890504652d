// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"errors"
	"math"
)

// ClockSlackSeconds is how far a host's clock may differ from the chain's at both ends of an epoch.
const ClockSlackSeconds = 30

// The errors of the context rules, in the order in which they are applied.
var (
	ErrKeyNotValid        = errors.New("host key was not valid at servedAt: register the key first, and rotate it before it expires")
	ErrWrongHostKey       = errors.New("record is of another host key: put it in that key's batch")
	ErrWrongHost          = errors.New("record is of another host: put it in that host's batch")
	ErrWrongEpoch         = errors.New("record is of another epoch: put it in that epoch's batch")
	ErrWrongModel         = errors.New("record is of another model: put it in that model's group")
	ErrWrongAdapter       = errors.New("record is of another adapter: put it in that adapter's group")
	ErrSeqOutOfRange      = errors.New("seq is outside the group's range: give the group the first and last seq of its records")
	ErrServedOutsideEpoch = errors.New("servedAt is outside the epoch and its clock slack: number records by the chain's epoch")
	ErrWrongSettler       = errors.New("payer resolves to another settler at issuedAt: put the record in that settler's group")
	ErrNotCountersigned   = errors.New("gateway-settled record is not countersigned: get the gateway's countersignature first")
	ErrWrongBase          = errors.New("adapter's base is not the record's model: serve the adapter on its own base")
)

// Context is the chain state that decides whether a record belongs into a group. Times are Unix seconds.
type Context struct {
	// HostKeyAddress and HostID are the batch's.
	HostKeyAddress [20]byte
	HostID         [32]byte
	// Epoch is the batch's; ModelID, AdapterID, FirstSeq and LastSeq (both inclusive) are the group's.
	Epoch              uint64
	ModelID, AdapterID [32]byte
	FirstSeq, LastSeq  uint64
	// EpochStart is when the epoch began and NextEpochStart when the next one did.
	EpochStart, NextEpochStart uint64
	// KeyRegisteredAt is the first second at which the host key is valid, KeyExpiresAt the first at which it no longer is (0 = never).
	KeyRegisteredAt, KeyExpiresAt uint64
	// Settler is the group's, WantSettler what the payer resolves to at issuedAt.
	Settler, WantSettler [20]byte
	// SettlerIsGateway says whether the settler is a gateway, whose records must be countersigned.
	SettlerIsGateway bool
	// AdapterBase is the base model of the adapter; it is not looked at without one.
	AdapterBase [32]byte
}

// Check applies the context rules to a record that has passed the 13 record rules; the first that fails is the error.
//
// The order is: key valid at servedAt, host key, host, epoch, model, adapter, seq, servedAt within the epoch (start - 30 s inclusive to
// next start + 30 s exclusive, without wrapping at the ends of the range), settler, countersignature, base.
func (c *Context) Check(r *Record) error {
	switch {
	case r.ServedAt < c.KeyRegisteredAt || c.KeyExpiresAt != 0 && r.ServedAt >= c.KeyExpiresAt:
		return ErrKeyNotValid
	case r.Auth.Operator != c.HostKeyAddress:
		return ErrWrongHostKey
	case r.HostID != c.HostID:
		return ErrWrongHost
	case r.Epoch != c.Epoch:
		return ErrWrongEpoch
	case r.Auth.ModelID != c.ModelID:
		return ErrWrongModel
	case r.Auth.AdapterID != c.AdapterID:
		return ErrWrongAdapter
	case r.Seq < c.FirstSeq || r.Seq > c.LastSeq:
		return ErrSeqOutOfRange
	case !c.servedInEpoch(r.ServedAt):
		return ErrServedOutsideEpoch
	case c.Settler != c.WantSettler:
		return ErrWrongSettler
	case c.SettlerIsGateway && !r.Countersigned:
		return ErrNotCountersigned
	case r.Auth.AdapterID != [32]byte{} && c.AdapterBase != r.Auth.ModelID:
		return ErrWrongBase
	}
	return nil
}

func (c *Context) servedInEpoch(at uint64) bool {
	from := c.EpochStart - min(c.EpochStart, ClockSlackSeconds)
	if c.NextEpochStart > math.MaxUint64-ClockSlackSeconds {
		return at >= from
	}
	return at >= from && at < c.NextEpochStart+ClockSlackSeconds
}
