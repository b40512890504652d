// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Status is the outcome of one check.
type Status uint8

// The outcomes. The zero value is the one that claims nothing.
const (
	NotChecked Status = iota
	Pass
	Fail
)

// String returns the status as reports print it.
func (s Status) String() string {
	switch s {
	case Pass:
		return "PASS"
	case Fail:
		return "FAIL"
	case NotChecked:
	}
	return "NOT CHECKED"
}

// The names of the checks, in the order of a report.
const (
	CheckBundle           = "bundle"
	CheckRecord           = "record"
	CheckPayer            = "payer-signature"
	CheckHost             = "host-signature"
	CheckCountersignature = "countersignature"
	CheckOpening          = "opening"
	CheckBatch            = "batch"
	CheckLog              = "log"
	CheckState            = "state"
	CheckConsistency      = "consistency"
	CheckCommit           = "commit"
	CheckTrust            = "trust"
	CheckAnchor           = "anchor"
	CheckEVM              = "evm"
)

// Checks returns the names of all checks in order.
func Checks() []string {
	return []string{
		CheckBundle, CheckRecord, CheckPayer, CheckHost, CheckCountersignature, CheckOpening, CheckBatch, CheckLog,
		CheckState, CheckConsistency, CheckCommit, CheckTrust, CheckAnchor, CheckEVM,
	}
}

// Row is one check.
type Row struct {
	Name   string
	Status Status
	// What says what was verified, or why it failed or was not.
	What string
	// By says who verified it; empty unless it passed.
	By string
	// Skipped says that the user asked to leave it out.
	Skipped bool
	// Err is why it failed; nil otherwise.
	Err error
}

// Report is the outcome of all checks.
type Report struct {
	// At is when the checks were made, by this machine's clock.
	At   time.Time
	Rows []Row
}

// ExitCode is 1 when a check failed, else 2 when one was left out and not skipped by the user, else 0.
func (r *Report) ExitCode() int {
	code := 0
	for _, row := range r.Rows {
		switch {
		case row.Status == Fail:
			return 1
		case row.Status == NotChecked && !row.Skipped:
			code = 2
		}
	}
	return code
}

// Row returns the row of a check.
func (r *Report) Row(name string) Row {
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Name == name })
	if i < 0 {
		return Row{Name: name}
	}
	return r.Rows[i]
}

// Conclusion is the last line of a report.
func (r *Report) Conclusion() string {
	var failed, open, skipped []string
	for _, row := range r.Rows {
		switch {
		case row.Status == Fail:
			failed = append(failed, row.Name)
		case row.Skipped:
			skipped = append(skipped, row.Name)
		case row.Status == NotChecked:
			open = append(open, row.Name)
		}
	}
	switch {
	case len(failed) > 0:
		return "FAILED: " + strings.Join(failed, ", ")
	case len(open) > 0:
		return "nothing failed, but not all was checked: " + strings.Join(open, ", ")
	case len(skipped) > 0:
		return "every check that you did not skip passed; you skipped: " + strings.Join(skipped, ", ")
	}
	return "all checks passed"
}

// Write prints the report: a row for each check, then the conclusion.
func (r *Report) Write(w io.Writer) error {
	at := r.At.UTC().Format(time.RFC3339)
	for _, row := range r.Rows {
		line := fmt.Sprintf("%-11s  %-16s  %s", row.Status, row.Name, row.What)
		if row.Status == Pass {
			line += fmt.Sprintf(" [verified by %s at %s]", row.By, at)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.Conclusion())
	return err
}

// program is who verifies all that needs no one else.
const program = "this program, from the bundle alone,"

// recorder collects rows.
type recorder struct {
	rows map[string]Row
	skip map[string]bool
}

func (r *recorder) pass(name, what string, args ...any) {
	r.passBy(program, name, what, args...)
}

func (r *recorder) passBy(by, name, what string, args ...any) {
	r.rows[name] = Row{Name: name, Status: Pass, What: fmt.Sprintf(what, args...), By: by}
}

func (r *recorder) fail(name string, err error) {
	r.rows[name] = Row{Name: name, Status: Fail, What: err.Error(), Err: err}
}

func (r *recorder) open(name, why string, args ...any) {
	r.rows[name] = Row{Name: name, What: fmt.Sprintf(why, args...)}
}

// report puts the rows in order. A check that nobody reached was not made.
func (r *recorder) report(at time.Time) *Report {
	report := &Report{At: at}
	for _, name := range Checks() {
		row, found := r.rows[name]
		if !found {
			row = Row{Name: name, What: "a check before it failed"}
		}
		if r.skip[name] && row.Status != Fail {
			row = Row{Name: name, What: "skipped by you (--skip)", Skipped: true}
		}
		report.Rows = append(report.Rows, row)
	}
	return report
}
