// SPDX-License-Identifier: Apache-2.0

package evm_test

import "testing"

func TestAnchorsLandAndFollowTheSet(t *testing.T) {
	w := newWorld(t)
	r := w.relayer(0, w.config())
	w.step(r) // nothing to do
	if got := w.spent(0); got != 0 {
		t.Fatalf("%d transactions without an anchor", got)
	}
	w.chain.grow(3)
	w.chain.grow(0)
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(2) // the older one is skipped

	old := w.chain.current
	w.chain.rotate(t, 7, 2)
	w.chain.attest(old, 5) // names the new set
	w.chain.grow(9)
	for range 2 {
		w.step(r)
		w.backend.Commit()
	}
	w.wantAnchor(4)
	w.step(r)
	if got := w.spent(0); got != 3 {
		t.Fatalf("%d transactions for three anchors", got)
	}
	rep := r.Report()
	if rep.Landed != 3 || rep.Sent != 3 || rep.Bumped != 0 || len(rep.Reverted) != 0 || len(rep.Alerts) != 0 {
		t.Errorf("report is %+v", rep)
	}
	if rep.GasUsed == 0 || rep.Runway <= 0 || rep.PendingTx != "" || rep.LagLeaves() != 0 {
		t.Errorf("report is %+v", rep)
	}
}
