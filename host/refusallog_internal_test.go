// SPDX-License-Identifier: Apache-2.0

package host

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestRefusalsAreLoggedByCodeAndBounded(t *testing.T) {
	var out bytes.Buffer
	l := newRefusalLog(slog.New(slog.NewTextHandler(&out, nil)))
	start := time.Unix(1_000, 0)
	for i := range 1_000 {
		l.note(RefuseBusy, start.Add(time.Duration(i)*time.Millisecond))
	}
	l.note(RefuseTooManyOpen.with("%d jobs", 32), start)
	if got := strings.Count(out.String(), "\n"); got != 2 {
		t.Fatalf("%d lines, want one for each code:\n%s", got, out.String())
	}
	for _, want := range []string{"level=INFO", "code=HOST_BUSY status=503", "code=TOO_MANY_OPEN status=429"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	out.Reset()
	l.note(RefuseBusy, start.Add(refusalLogEvery))
	if !strings.Contains(out.String(), "code=HOST_BUSY status=503 more_since_last=999") {
		t.Errorf("the refusals between are not counted:\n%s", out.String())
	}
}
