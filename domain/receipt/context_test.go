// SPDX-License-Identifier: Apache-2.0

package receipt_test

import (
	"math"
	"testing"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// goodContext returns a context that goodRecord belongs to.
func goodContext(r *receipt.Record) receipt.Context {
	return receipt.Context{
		HostKeyAddress: r.Auth.Operator, HostID: r.HostID, Epoch: r.Epoch, ModelID: r.Auth.ModelID, AdapterID: r.Auth.AdapterID,
		FirstSeq: r.Seq - 1, LastSeq: r.Seq + 1, EpochStart: r.ServedAt - 100, NextEpochStart: r.ServedAt + 100,
		KeyRegisteredAt: r.ServedAt - 200, KeyExpiresAt: r.ServedAt + 200,
		Settler: [20]byte{8}, WantSettler: [20]byte{8}, SettlerIsGateway: true, AdapterBase: r.Auth.ModelID,
	}
}

// TestContextOrder breaks every subset of the rules: the first broken one must be the error.
func TestContextOrder(t *testing.T) {
	rules := []struct {
		err    error
		breaks func(c *receipt.Context, r *receipt.Record)
	}{
		{receipt.ErrKeyNotValid, func(c *receipt.Context, r *receipt.Record) { c.KeyExpiresAt = r.ServedAt }},
		{receipt.ErrWrongHostKey, func(c *receipt.Context, _ *receipt.Record) { c.HostKeyAddress[19]++ }},
		{receipt.ErrWrongHost, func(c *receipt.Context, _ *receipt.Record) { c.HostID[31]++ }},
		{receipt.ErrWrongEpoch, func(c *receipt.Context, _ *receipt.Record) { c.Epoch++ }},
		{receipt.ErrWrongModel, func(c *receipt.Context, _ *receipt.Record) { c.ModelID[0]++ }},
		{receipt.ErrWrongAdapter, func(c *receipt.Context, _ *receipt.Record) { c.AdapterID = [32]byte{} }},
		{receipt.ErrSeqOutOfRange, func(c *receipt.Context, r *receipt.Record) { c.FirstSeq = r.Seq + 1 }},
		{receipt.ErrServedOutsideEpoch, func(c *receipt.Context, r *receipt.Record) { c.EpochStart = r.ServedAt + 31 }},
		{receipt.ErrWrongSettler, func(c *receipt.Context, _ *receipt.Record) { c.WantSettler[0]++ }},
		{receipt.ErrNotCountersigned, func(_ *receipt.Context, r *receipt.Record) { r.Countersigned = false }},
		{receipt.ErrWrongBase, func(c *receipt.Context, _ *receipt.Record) { c.AdapterBase = [32]byte{} }},
	}
	for subset := range 1 << len(rules) {
		r := goodRecord(true)
		c := goodContext(&r)
		want := error(nil)
		for i, rule := range rules {
			if subset>>i&1 == 0 {
				continue
			}
			if want == nil {
				want = rule.err
			}
			rule.breaks(&c, &r)
		}
		if got := c.Check(&r); got != want {
			t.Fatalf("subset %b: got %v, want %v", subset, got, want)
		}
	}
}

func TestContextBounds(t *testing.T) {
	const maxTime = math.MaxUint64
	at := goodRecord(false).ServedAt
	for _, c := range []struct {
		name   string
		change func(c *receipt.Context, r *receipt.Record)
		want   error
	}{
		{"served in the first second of the slack", func(c *receipt.Context, _ *receipt.Record) { c.EpochStart = at + 30 }, nil},
		{"served before the slack", func(c *receipt.Context, _ *receipt.Record) { c.EpochStart = at + 31 }, receipt.ErrServedOutsideEpoch},
		{"served in the last second of the slack", func(c *receipt.Context, _ *receipt.Record) { c.NextEpochStart = at - 29 }, nil},
		{"served after the slack", func(c *receipt.Context, _ *receipt.Record) { c.NextEpochStart = at - 30 }, receipt.ErrServedOutsideEpoch},
		{"epoch starts at the beginning of time", func(c *receipt.Context, r *receipt.Record) {
			c.EpochStart, c.KeyRegisteredAt, r.ServedAt = 29, 0, 0
		}, nil},
		{"epoch ends at the end of time", func(c *receipt.Context, r *receipt.Record) {
			c.NextEpochStart, c.KeyExpiresAt, r.ServedAt = maxTime-29, 0, maxTime
		}, nil},
		{"before an epoch that ends at the end of time", func(c *receipt.Context, _ *receipt.Record) {
			c.EpochStart, c.NextEpochStart = at+31, maxTime
		}, receipt.ErrServedOutsideEpoch},
		{"no wrap at the last end that can have slack", func(c *receipt.Context, r *receipt.Record) {
			c.NextEpochStart, c.KeyExpiresAt, r.ServedAt = maxTime-30, 0, maxTime-1
		}, nil},
		{"key registered at servedAt", func(c *receipt.Context, _ *receipt.Record) { c.KeyRegisteredAt = at }, nil},
		{"key registered later", func(c *receipt.Context, _ *receipt.Record) { c.KeyRegisteredAt = at + 1 }, receipt.ErrKeyNotValid},
		{"key expires one second later", func(c *receipt.Context, _ *receipt.Record) { c.KeyExpiresAt = at + 1 }, nil},
		{"key never expires", func(c *receipt.Context, _ *receipt.Record) { c.KeyExpiresAt = 0 }, nil},
		{"seq is the first", func(c *receipt.Context, r *receipt.Record) { c.FirstSeq = r.Seq }, nil},
		{"seq is the last", func(c *receipt.Context, r *receipt.Record) { c.LastSeq = r.Seq }, nil},
		{"seq is after the last", func(c *receipt.Context, r *receipt.Record) { c.LastSeq = r.Seq - 1 }, receipt.ErrSeqOutOfRange},
		{"operator settles without a countersignature", func(c *receipt.Context, r *receipt.Record) {
			c.SettlerIsGateway, r.Countersigned = false, false
		}, nil},
		{"no adapter, so no base", func(c *receipt.Context, r *receipt.Record) {
			c.AdapterID, r.Auth.AdapterID, c.AdapterBase = [32]byte{}, [32]byte{}, [32]byte{}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := goodRecord(true)
			ctx := goodContext(&r)
			c.change(&ctx, &r)
			if got := ctx.Check(&r); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
