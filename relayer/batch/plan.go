// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/store"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// Reasons for which a checked receipt is not claimed, besides those of the context rules.
const (
	ReasonUnsettled  = "job is issued in the chain's future, where its settler can still change"
	ReasonSettler    = "settler cannot settle this host's work"
	ReasonWatermark  = "seq is not above the settler's watermark"
	ReasonModel      = "model may not be served in this epoch"
	ReasonAdapter    = "adapter may not be served in this epoch"
	ReasonSums       = "group's sums do not fit 64 bits"
	ReasonMinAmount  = "group's amount is below its jobs times min_job_amount_uusdc"
	ReasonMaxGroups  = "batch has more groups than max_groups"
	ReasonTokenLimit = "host's token ceiling is reached"
	ReasonCover      = "operator's cover is used up"
	ReasonJailed     = "operator was jailed for the whole epoch"
)

// Payment names who a job was authorised by and when.
type Payment struct {
	Payer    [20]byte
	IssuedAt uint64
}

// Settlement is who settles a payment.
type Settlement struct {
	Settler [20]byte
	// Gateway says whether it is a gateway's, whose records must be countersigned. Mismatched says that the chain takes no
	// group of it: an operator's account that settles for a gateway, or a gateway's that settles direct work.
	Gateway, Mismatched bool
}

// Facts are what the chain says, at one height, about one host key and epoch.
type Facts struct {
	HostID  [32]byte
	HostKey [20]byte
	Epoch   uint64
	// EpochStart and NextEpochStart are Unix seconds, as are the ends of the key's validity (0 = it does not expire).
	EpochStart, NextEpochStart    uint64
	KeyRegisteredAt, KeyExpiresAt uint64
	// Settlements holds every payment of the receipts, Assets every model and adapter, nil for one that is not registered
	// or was registered after the epoch.
	Settlements map[Payment]Settlement
	Assets      map[[32]byte]*royaltiestypes.Asset
	// IssuedBefore is the chain's time, in Unix seconds. A key that is registered or ended from now on changes who settles what was
	// issued then or later: a claim of it could be made wrong after it was admitted, and its samples would convict the operator.
	// 0 is for an epoch that is long over.
	IssuedBefore uint64
	// Watermarks are the highest seq claimed, by settler.
	Watermarks map[[20]byte]uint64
	// MaxGroups and MinJobAmountUusdc are parameters; ClaimableUusdc is what the cover still allows and TokensLeft what the
	// host may still claim in the epoch.
	MaxGroups                                     int
	MinJobAmountUusdc, ClaimableUusdc, TokensLeft uint64
}

// Group is one group of a batch with its records.
type Group struct {
	sumtree.Group
	Tree *sumtree.Tree
	// Records are the SR1 records in the order of the leaves.
	Records [][]byte
}

// Plan is what a batch will hold and what it will not.
type Plan struct {
	// Groups ascend by settler, model, adapter; none if nothing can be claimed.
	Groups                        []Group
	Receipts, AmountUusdc, Tokens uint64
	Rejected                      []store.Rejection
}

// planner turns receipts into a plan. It asks nobody anything, so equal receipts and facts give equal plans.
type planner struct {
	facts    *Facts
	drafts   map[sumtree.Group]*draft
	rejected []store.Rejection
}

// PlanOf decides which receipts of one host key and epoch are claimed, and in which groups.
//
// Receipts must be checked by the record rules and ascend by seq. Where a limit of the chain would refuse the batch, the
// groups of the lowest value are left out, the lower key first among equals; if one group alone is too much, its
// last receipts are.
// Errors: those of the sum tree, which only faulty input gives.
func PlanOf(receipts []store.Receipt, facts *Facts) (Plan, error) {
	p := &planner{facts: facts, drafts: make(map[sumtree.Group]*draft)}
	for i := range receipts {
		if err := p.take(&receipts[i]); err != nil {
			return Plan{}, err
		}
	}
	return p.build(p.fit(p.priced(p.byValue())))
}

// take puts a receipt into its group, or turns it down.
func (p *planner) take(r *store.Receipt) error {
	record, err := receipt.Decode(r.SR1)
	if err != nil {
		return fmt.Errorf("stored receipt %d: %w", r.Seq, err)
	}
	settlement, known := p.facts.Settlements[Payment{record.Auth.Payer, record.Auth.IssuedAt}]
	if !known {
		return fmt.Errorf("receipt %d: its payer was not resolved", r.Seq)
	}
	if reason := p.refuse(&record, settlement); reason != "" {
		p.reject(r.SR1, r.Seq, reason)
		return nil
	}
	leaf, overflow := sumtree.LeafOf(&record, r.JobID, r.SR1)
	if overflow != nil {
		p.reject(r.SR1, r.Seq, ReasonSums)
		return nil //nolint:nilerr // the record is turned down, which is no failure of planning
	}
	key := sumtree.Group{
		Operator: p.facts.HostKey, HostID: p.facts.HostID,
		Settler: settlement.Settler, ModelID: record.Auth.ModelID, AdapterID: record.Auth.AdapterID,
	}
	d := p.drafts[key]
	if d == nil {
		d = &draft{key: key}
		p.drafts[key] = d
	}
	if !d.add(leaf, r.SR1) {
		p.reject(r.SR1, r.Seq, ReasonSums)
	}
	return nil
}

// refuse returns why the chain would not take the record in a batch, "" if it would.
func (p *planner) refuse(r *receipt.Record, s Settlement) string {
	f := p.facts
	context := receipt.Context{
		HostKeyAddress: f.HostKey, HostID: f.HostID, Epoch: f.Epoch, ModelID: r.Auth.ModelID, AdapterID: r.Auth.AdapterID,
		FirstSeq: r.Seq, LastSeq: r.Seq, EpochStart: f.EpochStart, NextEpochStart: f.NextEpochStart,
		KeyRegisteredAt: f.KeyRegisteredAt, KeyExpiresAt: f.KeyExpiresAt,
		Settler: s.Settler, WantSettler: s.Settler, SettlerIsGateway: s.Gateway,
	}
	adapter := f.Assets[r.Auth.AdapterID]
	if adapter != nil {
		copy(context.AdapterBase[:], adapter.Base)
	}
	if err := context.Check(r); err != nil {
		return shortReason(err)
	}
	switch {
	case f.IssuedBefore != 0 && r.Auth.IssuedAt >= f.IssuedBefore:
		return ReasonUnsettled
	case s.Mismatched:
		return ReasonSettler
	case r.Seq <= f.Watermarks[s.Settler]:
		return ReasonWatermark
	case !usable(f.Assets[r.Auth.ModelID], royaltiestypes.AssetKind_ASSET_KIND_BASE, f.Epoch):
		return ReasonModel
	case r.Auth.AdapterID != [32]byte{} && !usable(adapter, royaltiestypes.AssetKind_ASSET_KIND_ADAPTER, f.Epoch):
		return ReasonAdapter
	}
	return ""
}

func usable(a *royaltiestypes.Asset, kind royaltiestypes.AssetKind, epoch uint64) bool {
	return a != nil && a.Kind == kind && a.CommercialUse && !a.TakenDownIn(epoch)
}

// shortReason is an error of the context rules without its advice.
func shortReason(err error) string {
	short, _, _ := strings.Cut(err.Error(), ":")
	return short
}

func (p *planner) reject(sr1 []byte, seq uint64, reason string) {
	p.rejected = append(p.rejected, store.Rejection{
		HostID: p.facts.HostID, Bytes: sr1, Seq: seq, Epoch: p.facts.Epoch, Stage: store.StageBatch, Reason: reason,
	})
}

// build makes the trees.
func (p *planner) build(drafts []*draft) (Plan, error) {
	plan := Plan{Rejected: p.rejected}
	slices.SortFunc(drafts, compareKeys)
	for _, d := range drafts {
		tree, err := sumtree.Build(d.leaves)
		if err != nil {
			return Plan{}, err
		}
		group := d.key
		group.Count, group.FirstSeq, group.LastSeq = tree.Len(), d.leaves[0].Seq, d.leaves[len(d.leaves)-1].Seq
		group.Root = tree.Root()
		plan.Groups = append(plan.Groups, Group{Group: group, Tree: tree, Records: d.records})
		plan.Tokens += group.Root.Tokens
	}
	if len(plan.Groups) == 0 {
		return plan, nil
	}
	batch, err := sumtree.BatchOf(plan.domain())
	if err != nil {
		return Plan{}, err
	}
	plan.Receipts, plan.AmountUusdc = batch.Count, batch.Amount
	return plan, nil
}
