// SPDX-License-Identifier: Apache-2.0

package types

import (
	"fmt"
	"slices"
	"strings"

	errorsmod "cosmossdk.io/errors"
)

// OffenceKind names a row of the table of offences.
type OffenceKind string

// The rows of the table.
const (
	OffenceForgedAttestation OffenceKind = "forged_attestation"
	OffenceStaleAttestation  OffenceKind = "stale_attestation"
	OffenceReceiptFraud      OffenceKind = "receipt_fraud"
	OffenceDoubleClaim       OffenceKind = "double_claim"
	OffenceReservedRefusal   OffenceKind = "reserved_refusal"
)

// MaxStrikes is how many offences of one kind are remembered of an operator: more than any row tells apart.
const MaxStrikes = 16

// OffenceStep is what an offence of a row costs from the nth one of its kind on within escalation_blocks.
type OffenceStep struct {
	From     uint32               // the first offence, counted from 1, that it holds for
	SlashBps uint64               // of bond and unbonding money together, rounded up; 10000 takes vesting rewards as well
	Jail     func(*Params) uint64 // blocks without new work; nil for none
	JailName string               // the parameter's name, for the table
}

// OffenceRow is one row of the table: what an offence is, what proves it, and what it costs.
type OffenceRow struct {
	Kind     OffenceKind
	Evidence string // what proves it
	// ByClaim raises the slash to 20 times the claim where that is more, as far as bond, unbonding money and vesting rewards reach.
	ByClaim bool
	Steps   []OffenceStep // by From, the first from 1
	// Tombstone ends the operator for good, and bars its account, its controller, its keys and its nodes.
	Tombstone bool
	// Cryptographic says that signatures, hashes or the chain's own record prove it. The others pass the breaker.
	Cryptographic bool
	Then          string // what else happens, for the table
}

// Offences is the table. Every punishment goes by a row of it.
var Offences = []OffenceRow{
	{
		Kind:     OffenceForgedAttestation,
		Evidence: "accepted on verdicts, and the published bytes fail re-verification on chain",
		Steps:    []OffenceStep{{From: 1, SlashBps: wholeBps}}, Tombstone: true, Cryptographic: true,
		Then: "each verifier that found a claim proven loses its whole bond and is out for good",
	},
	{
		Kind:     OffenceStaleAttestation,
		Evidence: "a record names an attestation past its expiry at `servedAt`",
		Steps:    []OffenceStep{{From: 1, SlashBps: 200}}, Cryptographic: true,
		Then: "its claims are demoted",
	},
	{
		Kind:     OffenceReceiptFraud,
		Evidence: "F2 to F4, F5 lost, a sample not opened or wrong, the third F6 in the window",
		ByClaim:  true, Cryptographic: true,
		Steps: []OffenceStep{{From: 1, SlashBps: 2_000, Jail: func(p *Params) uint64 { return p.JailFraudBlocks }, JailName: "jail_fraud_blocks"}},
		Then:  "the batch is void",
	},
	{
		Kind:     OffenceDoubleClaim,
		Evidence: "F1, F1′, one payment for two jobs whose payer is the operator's own host key",
		Steps: []OffenceStep{{
			From: 1, SlashBps: 5_000, Jail: func(p *Params) uint64 { return p.JailDoubleClaimBlocks }, JailName: "jail_double_claim_blocks",
		}},
		Cryptographic: true,
		Then:          "both batches are void",
	},
	{
		Kind:     OffenceReservedRefusal,
		Evidence: "a reserved job's deadline passed without acceptance or receipt",
		Steps: []OffenceStep{
			{From: 1, SlashBps: 100, Jail: func(p *Params) uint64 { return p.JailRefusalBlocks }, JailName: "jail_refusal_blocks"},
			{From: 3, SlashBps: 500, Jail: func(p *Params) uint64 { return p.JailRefusalBlocks }, JailName: "jail_refusal_blocks"},
		},
		Then: "the settler is refunded",
	},
}

// OffenceRowOf returns a row of the table. Errors: ErrUnknownOffence.
func OffenceRowOf(kind OffenceKind) (OffenceRow, error) {
	i := slices.IndexFunc(Offences, func(row OffenceRow) bool { return row.Kind == kind })
	if i < 0 {
		return OffenceRow{}, errorsmod.Wrapf(ErrUnknownOffence, "%q", kind)
	}
	return Offences[i], nil
}

// Step returns what the nth offence of the row in its window costs; n counts from 1.
func (r *OffenceRow) Step(n uint32) OffenceStep {
	step := r.Steps[0]
	for _, s := range r.Steps {
		if s.From <= n {
			step = s
		}
	}
	return step
}

// Offence is what an operator is to be punished for.
type Offence struct {
	Kind     OffenceKind
	Operator []byte // the offender
	// ClaimUusdc is the value that was claimed by fraud; only rows by claim ask for it.
	ClaimUusdc        uint64
	Victim            []byte // who lost by it, nil for nobody known
	VictimLossUusdc   uint64 // the victim's proven loss
	Reporter          []byte // who proved it, nil for the chain itself
	ReporterBondUltai uint64
	// EvidenceID makes evidence punish once. Zero is for evidence that can come only once by itself, such as a deadline in state.
	EvidenceID [32]byte
	Evidence   string // names what was broken, for people: "sample_not_opened batch 7"
}

// Punishment is what an offence has cost, in ultai; the three parts add up to the slash.
type Punishment struct {
	SlashUltai, VictimUltai, ReporterUltai, InsuranceUltai uint64
	// Deferred says that the breaker has it wait for governance: nothing was taken yet.
	Deferred bool
}

// OffenceTable returns the table as README.md shows it.
func OffenceTable() string {
	var b strings.Builder
	b.WriteString("| offence | evidence | cost | new work | then | proof |\n|---|---|---|---|---|---|\n")
	for i := range Offences {
		row := &Offences[i]
		then := row.Then
		if row.Tombstone {
			then = "tombstone; " + then
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", row.Kind, row.Evidence, row.cost(), row.jail(), then, row.proof())
	}
	return b.String()
}

func (r *OffenceRow) cost() string {
	costs := make([]string, len(r.Steps))
	for i, step := range r.Steps {
		cost := fmt.Sprintf("%d.%02d %%", step.SlashBps/100, step.SlashBps%100)
		cost = strings.Replace(cost, ".00", "", 1)
		if r.ByClaim {
			cost = "the larger of 20 × claim and " + cost
		}
		if step.From > 1 {
			cost = fmt.Sprintf("from the %d. within `escalation_blocks` %s", step.From, cost)
		}
		costs[i] = cost
	}
	return strings.Join(costs, ", ")
}

func (r *OffenceRow) jail() string {
	switch {
	case r.Tombstone:
		return "never again"
	case r.Steps[0].Jail == nil:
		return "goes on"
	}
	return "not for `" + r.Steps[0].JailName + "`"
}

func (r *OffenceRow) proof() string {
	if r.Cryptographic {
		return "by itself"
	}
	return "passes the breaker"
}
