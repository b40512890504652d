// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is one benchmark's result.
type table struct {
	title string
	rows  [][3]string
}

func (t *table) add(name, measure, value string) {
	t.rows = append(t.rows, [3]string{name, measure, value})
}

func word(pass bool) string {
	if pass {
		return "PASS"
	}
	return "MISS"
}

func decimal(thousandths int64) string {
	return fmt.Sprintf("%d.%03d", thousandths/1_000, thousandths%1_000)
}

func (t *table) write(out io.Writer) error {
	if _, err := fmt.Fprintf(out, "\n%s\n%s\n", t.title, strings.Repeat("-", len(t.title))); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", row[0], row[1], row[2]); err != nil {
			return err
		}
	}
	return w.Flush()
}
