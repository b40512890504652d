// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/relayer/demo"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// settledEpoch returns the newest settled epoch with rewards, and makes one where there is none.
func settledEpoch(t *testing.T, w *demo.World) uint64 {
	t.Helper()
	for range 2 {
		status, err := w.Chain().Rewards.Status(t.Context(), &rewardstypes.QueryStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for e := status.NextEpoch; e > 0; e-- {
			res, err := w.Chain().Rewards.Epoch(t.Context(), &rewardstypes.QueryEpochRequest{Epoch: e - 1})
			if err == nil && res.Settlement.Operators == uint64(len(demo.Operators())) {
				return e - 1
			}
		}
		checkHeld(t, <-play(t, w, 60))
	}
	t.Fatal("no epoch has settled with work of all operators")
	return 0
}

// gpucoord runs the node's binary as a user would, against the demo's node.
func gpucoord(t *testing.T, w *demo.World, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binaries.node, append(args, "--home", filepath.Join(w.Home(), "node"))...)
	out, err := cmd.Output()
	if err != nil {
		stderr := ""
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = string(exit.Stderr)
		}
		t.Fatalf("gpucoord %s: %v: %s", strings.Join(args, " "), err, stderr)
	}
	return out
}

// query runs a query and decodes its JSON.
func query(t *testing.T, w *demo.World, args ...string) map[string]any {
	t.Helper()
	var out map[string]any
	raw := gpucoord(t, w, append(append([]string{"query"}, args...), "--output", "json")...)
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("query %v: %v: %s", args, err, raw)
	}
	return out
}

// at finds a member of nested objects.
func at(v any, path ...string) any {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// Given a settled epoch, when a user asks with the command line or REST, then both give the row and the explanation; and when an author
// and an operator claim with the command line, then their accounts hold what the ledgers said.
func TestCLI(t *testing.T) {
	w := sharedWorld(t)
	e := settledEpoch(t, w)
	operator := address(t, w, "operator-north")
	t.Run("explain", func(t *testing.T) { cliExplain(t, w, e, operator) })
	t.Run("queries", func(t *testing.T) { cliQueries(t, w, e, operator) })
	t.Run("REST", func(t *testing.T) { restQueries(t, w, e, operator) })
	t.Run("claims", func(t *testing.T) { cliClaims(t, w) })
	t.Run("refused", func(t *testing.T) { cliRefused(t, w) })
}

func cliExplain(t *testing.T, w *demo.World, e uint64, operator string) {
	out := query(t, w, "rewards", "explain", operator, strconv.FormatUint(e, 10))
	if got := at(out, "row", "operator"); got != operator {
		t.Errorf("row of %v, want %s", got, operator)
	}
	text, _ := at(out, "text").([]any)
	all := fmt.Sprint(text...)
	for _, want := range []string{"Reward:", "stand-in: no panel of probers has measured anybody yet", "simulated devices", "Cap:"} {
		if !strings.Contains(all, want) {
			t.Errorf("the explanation lacks %q: %s", want, all)
		}
	}
}

func cliQueries(t *testing.T, w *demo.World, e uint64, operator string) {
	for _, tc := range []struct {
		args []string
		path []string
		want any
	}{
		{[]string{"operators", "operator", operator}, []string{"operator", "address"}, operator},
		{[]string{"receipts", "epoch", strconv.FormatUint(e, 10)}, []string{"state", "closed"}, true},
		{[]string{"royalties", "params"}, []string{"params", "royalty_cap_bps"}, "3000"},
		{[]string{"receipts", "params"}, []string{"params", "take_bps"}, "1000"},
		{[]string{"rewards", "params"}, []string{"params", "payback_cap_bps"}, "7500"},
	} {
		if got := at(query(t, w, tc.args...), tc.path...); got != tc.want {
			t.Errorf("query %v: %v is %v, want %v", tc.args, tc.path, got, tc.want)
		}
	}
	for list, args := range map[string][]string{
		"operators": {"operators", "operators"}, "hosts": {"operators", "hosts"}, "assets": {"royalties", "assets"},
		"gateways": {"receipts", "gateways"}, "settlers": {"receipts", "settlers"}, "batches": {"receipts", "batches"},
		"rows": {"rewards", "rows", strconv.FormatUint(e, 10)},
	} {
		if items, _ := at(query(t, w, args...), list).([]any); len(items) < 2 {
			t.Errorf("query %v lists %d %s", args, len(items), list)
		}
	}
}

func restQueries(t *testing.T, w *demo.World, e uint64, operator string) {
	rest := mustURL(t, w, "rest", 0)
	for _, path := range []string{
		"/gpucoord/operators/v1/operators", "/gpucoord/operators/v1/operators/" + operator, "/gpucoord/operators/v1/current_epoch",
		"/gpucoord/royalties/v1/assets", "/gpucoord/receipts/v1/batches", "/gpucoord/receipts/v1/gateways",
		"/gpucoord/anchors/v1/log", fmt.Sprintf("/gpucoord/rewards/v1/epochs/%d", e),
		fmt.Sprintf("/gpucoord/rewards/v1/epochs/%d/explain/%s", e, operator), "/cosmos/bank/v1beta1/supply",
	} {
		response := get(t, rest+path, nil)
		raw, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // it was read to its end, or err says why not
		if err != nil || response.StatusCode != http.StatusOK || !json.Valid(raw) {
			t.Errorf("GET %s: status %d, %v: %.200s", path, response.StatusCode, err, raw)
		}
	}
	response := get(t, rest+"/gpucoord/operators/v1/operators/nobody", nil)
	defer response.Body.Close()
	if response.StatusCode/100 != 4 {
		t.Errorf("an address that is none: status %d", response.StatusCode)
	}
}

// cliClaims lets an author claim what accrued, and checks that it arrived.
func cliClaims(t *testing.T, w *demo.World) {
	author := address(t, w, "author-chen")
	accrual, err := w.Chain().Royalties.Accrual(t.Context(), &royaltiestypes.QueryAccrualRequest{Payee: author})
	if err != nil || accrual.Accrual.ClaimableUusdc == 0 {
		t.Fatalf("accrual %v, %v", accrual, err)
	}
	before := balance(t, w, author)
	gpucoordTx(t, w, "royalties", "claim", "--from", "author-chen")
	if got, want := balance(t, w, author), before+accrual.Accrual.ClaimableUusdc; got != want {
		t.Errorf("the author has %d uusdc, want %d", got, want)
	}
	operator := address(t, w, "operator-west")
	before = balance(t, w, operator)
	gpucoordTx(t, w, "receipts", "claim-earnings", "--from", "operator-west")
	gpucoordTx(t, w, "rewards", "claim", "--from", "operator-west")
	if got := balance(t, w, operator); got <= before {
		t.Errorf("the operator has %d uusdc, had %d", got, before)
	}
}

// cliRefused claims again: the chain names the error.
func cliRefused(t *testing.T, w *demo.World) {
	cmd := exec.CommandContext(t.Context(), binaries.node, "tx", "royalties", "claim", "--from", "author-chen", "--gas", "auto", "--yes",
		"--keyring-backend", "test", "--home", filepath.Join(w.Home(), "node"))
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "claim") {
		t.Errorf("claiming nothing: %v: %s", err, out)
	}
}

// gpucoordTx sends a transaction and waits until a block holds it.
func gpucoordTx(t *testing.T, w *demo.World, args ...string) {
	t.Helper()
	raw := gpucoord(t, w, append(append([]string{"tx"}, args...), "--yes", "--keyring-backend", "test", "--gas", "300000", "--fees", "1000ualeph",
		"--output", "json")...)
	var sent struct {
		Code   uint32 `json:"code"`
		TxHash string `json:"txhash"`
		RawLog string `json:"raw_log"`
	}
	if err := json.Unmarshal(raw, &sent); err != nil || sent.Code != 0 {
		t.Fatalf("tx %v: %v, %s", args, err, raw)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); pause(t, 100*time.Millisecond) {
		result, err := w.Chain().Tx(t.Context(), sent.TxHash)
		if err != nil {
			continue
		}
		if result.Code != 0 {
			t.Fatalf("tx %v: code %d: %s", args, result.Code, result.Log)
		}
		return
	}
	t.Fatalf("no block holds tx %v", args)
}

func address(t *testing.T, w *demo.World, name string) string {
	t.Helper()
	a, err := w.Address(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func balance(t *testing.T, w *demo.World, account string) uint64 {
	t.Helper()
	res, err := w.Chain().Bank.Balance(t.Context(), &banktypes.QueryBalanceRequest{Address: account, Denom: "uusdc"})
	if err != nil {
		t.Fatal(err)
	}
	return res.Balance.Amount.Uint64()
}
