// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/gpucoord/gpucoord/app"
)

func newWiring(t *testing.T) *app.App {
	t.Helper()
	wiring, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), noOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return wiring
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func localOptions(t *testing.T) localnetOptions {
	t.Helper()
	return localnetOptions{
		home: t.TempDir(), chainID: "local-test-1", epochBlocks: 10, blockTime: 200 * time.Millisecond, gasPrices: "0ualeph",
		ports: localnetPorts{RPC: 1001, P2P: 1002, GRPC: 1003, API: 1004},
	}
}

// The chain of a new home starts: it has one validator, and its accounts hold what the file says.
func TestLocalnetStarts(t *testing.T) {
	mnemonic := strings.Repeat("abandon ", 11) + "about"
	opts := localOptions(t)
	opts.accountsFile = write(t, "accounts.json", `[{"name": "fixed", "coins": "5uusdc,7ultai", "mnemonic": "`+mnemonic+`"}, {"name": "fresh", "coins": "1ualeph"}]`)
	opts.patchFile = write(t, "patch.json", `{"app_state": {"receipts": {"params": {"min_job_amount_uusdc": "77"}}}}`)
	report, err := initLocalnet(newWiring(t), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Accounts) != 2 || report.Accounts[0].Mnemonic != mnemonic || len(strings.Fields(report.Accounts[1].Mnemonic)) != 24 {
		t.Fatalf("accounts of the report: %+v", report.Accounts)
	}

	genesis, err := genutiltypes.AppGenesisFromFile(filepath.Join(opts.home, "config", "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), noOptions{}, baseapp.SetChainID(opts.chainID))
	if err != nil {
		t.Fatal(err)
	}
	params := genesis.Consensus.Params.ToProto()
	started, err := node.InitChain(&abci.RequestInitChain{
		ChainId: opts.chainID, Time: genesis.GenesisTime, InitialHeight: 1, ConsensusParams: &params, AppStateBytes: genesis.AppState,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(started.Validators) != 1 {
		t.Fatalf("%d validators, want 1", len(started.Validators))
	}
	if _, err := node.FinalizeBlock(&abci.RequestFinalizeBlock{Height: 1, Time: genesis.GenesisTime, Hash: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Commit(); err != nil {
		t.Fatal(err)
	}
	ctx := node.NewContext(true)
	fixed := sdk.MustAccAddressFromBech32(report.Accounts[0].Address)
	if got := node.Bank.GetAllBalances(ctx, fixed).String(); got != "7ultai,5uusdc" {
		t.Errorf("balance %s, want 7ultai,5uusdc", got)
	}
	schedule, err := node.Operators.Schedule(ctx)
	if err != nil || schedule.EpochBlocks != 10 || schedule.SubmitBlocks != 4 {
		t.Errorf("schedule %+v, %v", schedule, err)
	}
	if got, err := node.Receipts.Params(ctx); err != nil || got.MinJobAmountUusdc != 77 {
		t.Errorf("the patch did not reach the state: %d, %v", got.MinJobAmountUusdc, err)
	}
}

func TestLocalnetRefuses(t *testing.T) {
	wiring := newWiring(t)
	used := localOptions(t)
	if _, err := initLocalnet(wiring, used); err != nil {
		t.Fatal(err)
	}
	ports := localOptions(t)
	ports.ports.API = ports.ports.RPC
	anonymous := localOptions(t)
	anonymous.accountsFile = write(t, "accounts.json", `[{"coins": "1ualeph"}]`)
	poor := localOptions(t)
	poor.accountsFile = write(t, "accounts.json", `[{"name": "poor"}]`)
	for _, c := range []struct {
		name string
		opts localnetOptions
		want error
	}{
		{"home in use", used, errHomeInUse},
		{"one port twice", ports, errPorts},
		{"neither name nor address", anonymous, errAccount},
		{"no coins", poor, errAccount},
	} {
		if _, err := initLocalnet(wiring, c.opts); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	bad := localOptions(t)
	bad.patchFile = write(t, "patch.json", `{"app_state": {"receipts": {"params": {"take_bps": "9999"}}}}`)
	if _, err := initLocalnet(wiring, bad); err == nil {
		t.Error("a genesis with parameters out of bounds was accepted")
	}
}

// The examples of RFC 7396, appendix A.
func TestMergePatch(t *testing.T) {
	for _, c := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		got, want := mergePatch(decode(t, c[0]), decode(t, c[1])), decode(t, c[2])
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s patched with %s is %v, want %v", c[0], c[1], got, want)
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// The command tree is whole: what scripts and documents call exists.
func TestCommands(t *testing.T) {
	root, err := newRootCommand(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"init", "start", "status", "export", "version", "keys add", "genesis validate", "comet show-node-id", "snapshots list", "prune",
		"localnet init", "query bank balances", "query wait-tx", "query operators hosts", "query royalties assets",
		"query receipts batch", "query rewards explain", "query anchors log", "tx bank send", "tx operators register-operator",
		"tx royalties claim", "tx receipts fund-group", "tx rewards sponsor",
	} {
		cmd, rest, err := root.Find(strings.Fields(line))
		if err != nil || len(rest) > 0 || cmd == root {
			t.Errorf("%q: no such command (%v, left %q)", line, err, rest)
		}
	}
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"localnet", "init", "--output", "xml"})
	if err := root.Execute(); !errors.Is(err, errOutput) {
		t.Errorf("got %v, want %v", err, errOutput)
	}
}
