// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

var salt = [32]byte{7}

// commitment is what the reporter commits to for evidence of that name.
func (f *fixture) commitment(t *testing.T, reporter, evidence string) []byte {
	t.Helper()
	domain, err := f.k.ReceiptDomain(f.ctx)
	require.NoError(t, err)
	c := types.ReportCommitment(domain.Salt(), [20]byte(raw(reporter)), salt, [32]byte(hash32(evidence)))
	return c[:]
}

// report is a report that carol has committed to in the first block; the second has begun.
func report(t *testing.T) (*fixture, uint64) {
	t.Helper()
	f := newFixture(t)
	resp, err := f.msgs.CommitReport(f.ctx, &types.MsgCommitReport{Reporter: addr("carol"), Commitment: f.commitment(t, "carol", "e")})
	require.NoError(t, err)
	require.EqualValues(t, 101, resp.ExpiresHeight)
	require.EqualValues(t, purse-1_000_000, f.bank.balances[string(raw("carol"))])
	f.begin(t, 2)
	return f, resp.ReportId
}

func TestReportReveals(t *testing.T) {
	f, id := report(t)
	bond, err := f.k.RevealReport(f.ctx, id, raw("carol"), salt, [32]byte(hash32("e")))
	require.NoError(t, err)
	require.EqualValues(t, 1_000_000, bond)
	f.events(t, &types.EventReportRevealed{ReportId: id, Reporter: addr("carol")})
	f.refused(t, types.ErrReportState, func(ctx context.Context) error {
		_, err := f.k.RevealReport(ctx, id, raw("carol"), salt, [32]byte(hash32("e")))
		return err
	})
	f.begin(t, 300) // a revealed one does not expire
	f.end(t)
	f.clearEvents()
	require.NoError(t, f.k.ReturnReport(f.ctx, id))
	f.events(t, &types.EventReportClosed{
		ReportId: id, Reporter: addr("carol"), BondUltai: 1_000_000, Outcome: "returned", Recipient: addr("carol"),
	})
	require.EqualValues(t, purse, f.bank.balances[string(raw("carol"))])
	require.ErrorIs(t, f.k.ReturnReport(f.ctx, id), types.ErrUnknownReport)
	f.end(t)
}

func TestReportForfeits(t *testing.T) {
	f, id := report(t)
	require.ErrorIs(t, f.k.ForfeitReport(f.ctx, id, raw("alice")), types.ErrReportState, "not revealed")
	_, err := f.k.RevealReport(f.ctx, id, raw("carol"), salt, [32]byte(hash32("e")))
	require.NoError(t, err)
	require.NoError(t, f.k.ForfeitReport(f.ctx, id, raw("alice")))
	require.EqualValues(t, purse+1_000_000, f.bank.balances[string(raw("alice"))])
	require.EqualValues(t, purse-1_000_000, f.bank.balances[string(raw("carol"))])
	f.end(t)
}

// The bond of a wrong report leaves even where the accused cannot take it.
func TestReportForfeitsToInsurance(t *testing.T) {
	f, id := report(t)
	_, err := f.k.RevealReport(f.ctx, id, raw("carol"), salt, [32]byte(hash32("e")))
	require.NoError(t, err)
	f.bank.refuses = string(raw("alice"))
	f.clearEvents()
	require.NoError(t, f.k.ForfeitReport(f.ctx, id, raw("alice")))
	require.EqualValues(t, 1_000_000, f.bank.of(types.InsuranceAccount))
	f.events(t, &types.EventReportClosed{ReportId: id, Reporter: addr("carol"), BondUltai: 1_000_000, Outcome: "forfeited"})
	f.end(t)
}

func TestReportRefusals(t *testing.T) {
	f, id := report(t)
	reveal := func(id uint64, reporter string, salt [32]byte, evidence string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := f.k.RevealReport(ctx, id, raw(reporter), salt, [32]byte(hash32(evidence)))
			return err
		}
	}
	f.refused(t, types.ErrUnknownReport, reveal(id+1, "carol", salt, "e"))
	f.refused(t, types.ErrUnauthorized, reveal(id, "bob", salt, "e"))
	f.refused(t, types.ErrBadReveal, reveal(id, "carol", [32]byte{8}, "e"))
	f.refused(t, types.ErrBadReveal, reveal(id, "carol", salt, "another"))
	f.begin(t, 1)
	f.refused(t, types.ErrReportState, reveal(id, "carol", salt, "e")) // in the block of its commitment
	f.begin(t, 101)
	f.refused(t, types.ErrReportState, reveal(id, "carol", salt, "e")) // too late
	f.end(t)
	require.EqualValues(t, purse, f.bank.balances[string(raw("carol"))], "the end of that block gives the bond back")
	f.refused(t, types.ErrUnknownReport, reveal(id, "carol", salt, "e"))

	for name, do := range map[string]func(context.Context) error{
		"without money": func(ctx context.Context) error {
			_, err := f.msgs.CommitReport(ctx, &types.MsgCommitReport{Reporter: addr("poor"), Commitment: hash32("c")})
			return err
		},
		"open without money": func(ctx context.Context) error {
			_, _, err := f.k.OpenReport(ctx, raw("poor"))
			return err
		},
	} {
		require.ErrorIs(t, do(f.ctx), errBank, name)
	}
	f.refused(t, types.ErrInvalidRequest, func(ctx context.Context) error {
		_, err := f.msgs.CommitReport(ctx, &types.MsgCommitReport{Reporter: addr("carol"), Commitment: []byte{1}})
		return err
	})
}

// Another reporter who copies a commitment cannot open it: it is bound to its owner.
func TestReportCannotBeCopied(t *testing.T) {
	f, id := report(t)
	resp, err := f.msgs.CommitReport(f.ctx, &types.MsgCommitReport{Reporter: addr("bob"), Commitment: f.commitment(t, "carol", "e")})
	require.NoError(t, err)
	require.NotEqual(t, id, resp.ReportId)
	f.begin(t, 3)
	_, err = f.k.RevealReport(f.ctx, resp.ReportId, raw("bob"), salt, [32]byte(hash32("e")))
	require.ErrorIs(t, err, types.ErrBadReveal)
}

func TestOpenReportHoldsABond(t *testing.T) {
	f := newFixture(t)
	id, bond, err := f.k.OpenReport(f.ctx, raw("carol"))
	require.NoError(t, err)
	require.EqualValues(t, 1_000_000, bond)
	f.begin(t, 500)
	f.end(t)
	require.NoError(t, f.k.ForfeitReport(f.ctx, id, nil))
	require.EqualValues(t, 1_000_000, f.bank.of(types.InsuranceAccount))
	f.end(t)
}
