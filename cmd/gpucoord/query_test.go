// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"cosmossdk.io/client/v2/autocli/flag"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/domain/score"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
)

// bech32Of is an account's text.
func bech32Of(t *testing.T, raw []byte) string {
	t.Helper()
	text, err := addresscodec.NewBech32Codec(app.Bech32Prefix).BytesToString(raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestQueriesPrintHexAndBech32(t *testing.T) {
	node := newFakeNode(t)
	home := clientHome(t, node.url)
	id, settler, next := bytes.Repeat([]byte{0xab}, 32), bytes.Repeat([]byte{7}, 20), []byte{0, 0, 0, 0, 0, 0, 0, 9}
	node.answers["/gpucoord.receipts.v1.Query/Batches"] = &receiptstypes.QueryBatchesResponse{
		Batches: []receiptstypes.Batch{{
			Id: 3, HostId: id, HostKey: settler, Root: id,
			Groups: []receiptstypes.Group{{Settler: settler, ModelId: id, AdapterId: make([]byte, 32)}},
		}},
		Pagination: &query.PageResponse{NextKey: next},
	}
	wanted := []string{hex.EncodeToString(id), hex.EncodeToString(settler), bech32Of(t, settler), strings.Repeat("00", 32), hex.EncodeToString(next)}
	for _, output := range []string{outputText, outputJSON} {
		out, err := gpucoord(t, "query", "receipts", "batches", "--home", home, "--output", output)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wanted {
			if !strings.Contains(out, want) {
				t.Errorf("--output %s lacks %s:\n%s", output, want, out)
			}
		}
		if json.Valid([]byte(out)) != (output == outputJSON) {
			t.Errorf("--output %s printed\n%s", output, out)
		}
	}
	out, err := gpucoord(t, "query", "receipts", "batches", "--home", home, "--output", "json", "--page-key", hex.EncodeToString(next))
	if err != nil {
		t.Fatal(err)
	}
	if id, groups := strings.Index(out, `"id"`), strings.Index(out, `"groups"`); id < 0 || id > groups {
		t.Error("JSON does not keep the order of the fields")
	}
	var asked receiptstypes.QueryBatchesRequest
	if err := proto.Unmarshal(node.asked["/gpucoord.receipts.v1.Query/Batches"], &asked); err != nil || !bytes.Equal(asked.Pagination.GetKey(), next) {
		t.Errorf("the node was asked for %v, %v", &asked, err)
	}
}

func TestEpochAloneFilters(t *testing.T) {
	node := newFakeNode(t)
	home := clientHome(t, node.url)
	node.answers["/gpucoord.receipts.v1.Query/Batches"] = &receiptstypes.QueryBatchesResponse{}
	for _, c := range []struct {
		args []string
		want receiptstypes.QueryBatchesRequest
	}{
		{[]string{"--epoch", "4"}, receiptstypes.QueryBatchesRequest{Epoch: 4, ByEpoch: true}},
		{[]string{"--epoch", "0"}, receiptstypes.QueryBatchesRequest{ByEpoch: true}},
		{nil, receiptstypes.QueryBatchesRequest{}},
	} {
		if _, err := gpucoord(t, append([]string{"query", "receipts", "batches", "--home", home}, c.args...)...); err != nil {
			t.Fatal(err)
		}
		var got receiptstypes.QueryBatchesRequest
		if err := proto.Unmarshal(node.asked["/gpucoord.receipts.v1.Query/Batches"], &got); err != nil {
			t.Fatal(err)
		}
		if got.Epoch != c.want.Epoch || got.ByEpoch != c.want.ByEpoch {
			t.Errorf("%v asks for epoch %d, by epoch %t", c.args, got.Epoch, got.ByEpoch)
		}
	}
}

func newForm(t *testing.T) bytesForm {
	t.Helper()
	newWiring(t) // registers every message
	files, err := proto.MergedRegistry()
	if err != nil {
		t.Fatal(err)
	}
	return bytesForm{files: files, accounts: addresscodec.NewBech32Codec(app.Bech32Prefix)}
}

// What is printed is taken back: hex, bech32, and base64 as REST has it.
func TestArgumentsTakeWhatQueriesPrint(t *testing.T) {
	form := newForm(t)
	d := form.find("gpucoord.receipts.v1.Group")
	settler := bytes.Repeat([]byte{7}, 20)
	want := `{"settler":"BwcHBwcHBwcHBwcHBwcHBwcHBwc=","model_id":"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=","count":"2"}`
	for _, text := range []string{
		`{"settler":"` + bech32Of(t, settler) + `","model_id":"` + strings.Repeat("ab", 32) + `","count":"2"}`,
		`{"settler":"` + hex.EncodeToString(settler) + `","model_id":"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=","count":"2"}`,
	} {
		tree, err := decodeJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if tree, err = form.parse(d, tree); err != nil {
			t.Fatal(err)
		}
		if got, err := encodeJSON(tree, ""); err != nil || string(got) != want {
			t.Errorf("%s is read as %s, %v, want %s", text, got, err, want)
		}
	}
	tree, err := decodeJSON([]byte(`{"model_id":"not bytes"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := form.parse(d, tree); err == nil || !strings.Contains(err.Error(), "model_id") {
		t.Errorf("got %v, want an error that names the field", err)
	}
}

// Transactions and events carry this chain's messages among others'.
func TestTransactionsPrintHexInside(t *testing.T) {
	text := `{"tx":{"@type":"/cosmos.tx.v1beta1.Tx","body":{"messages":[{"@type":"/gpucoord.receipts.v1.MsgDeclareLoss","host_id":"q6s="}]},` +
		`"signatures":["q6s="]},"events":[{"type":"gpucoord.operators.v1.EventGPUReleased","attributes":[` +
		`{"key":"evicted_by","value":"\"q6s=\""},{"key":"gpu","value":"{\"host_id\":\"q6s=\",\"index\":1}"},{"key":"msg_index","value":"0"}]},` +
		`{"type":"message","attributes":[{"key":"action","value":"q6s="}]}]}`
	want := strings.NewReplacer(`"host_id":"q6s="`, `"host_id":"abab"`, `"value":"\"q6s=\""`, `"value":"\"abab\""`, `\"host_id\":\"q6s=\"`, `\"host_id\":\"abab\"`).
		Replace(text)
	tree, err := decodeJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encodeJSON(newForm(t).printAny(tree), ""); err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

// A field of bytes that is an account has to be marked, or it would be printed in hex.
func TestAccountsAreMarked(t *testing.T) {
	form := newForm(t)
	for _, name := range []string{"gpucoord.receipts.v1.Group.settler", "gpucoord.rewards.v1.EpochSettlement.cursor"} {
		d, err := form.files.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			t.Fatal(err)
		}
		if scalar, ok := flag.GetScalarType(d.(protoreflect.FieldDescriptor)); !ok || scalar != accountScalar { //nolint:forcetypeassert // a field
			t.Errorf("%s is marked %q", name, scalar)
		}
	}
}

// Each query of this chain's modules has its command, whose operator comes before its epoch.
func TestOperatorComesBeforeEpoch(t *testing.T) {
	wiring := newWiring(t)
	for module, options := range wiring.AutoCLI().ModuleOptions {
		if !strings.HasPrefix(options.GetQuery().GetService(), ourPackages) {
			continue
		}
		for _, o := range append(options.Query.RpcCommandOptions, options.GetTx().GetRpcCommandOptions()...) {
			epoch := strings.Index(o.Use, "[epoch]")
			for _, who := range []string{"[operator]", "[host-id]"} {
				if at := strings.Index(o.Use, who); at >= 0 && epoch >= 0 && at > epoch {
					t.Errorf("%s %s", module, o.Use)
				}
			}
			if strings.Contains(o.Use, "<") {
				t.Errorf("%s %s: arguments are written [so]", module, o.Use)
			}
		}
	}
}

func explainAnswer() *rewardstypes.QueryExplainResponse {
	row := rewardstypes.OperatorEpoch{
		Epoch: 4, Operator: "gpucoord1operator", Controller: "gpucoord1controller", UsageUusdc: 9_000, GatewayUsageUusdc: 8_000, TakeUusdc: 900,
		SuccessPpm: 812_345, UpPpm: 990_000, AvPpm: 950_000, AvailabilitySource: rewardstypes.SourceStandIn, QualityPpm: 654_321,
		MilliVcu: 1_500, TrustedMilliVcu: 700, Simulated: true, Tokens: 77, CapacityTokens: 88, UtilisationPpm: 875_000, LatencyPpm: 500_000,
		Ucs: 123_456, CapUusdc: 675, FromPoolUusdc: 111, FromSponsorsUusdc: 22, RewardUusdc: 133, PoolShareUusdc: 222, QualityForfeitUusdc: 44,
		CapForfeitUusdc: 78, SponsorShareUusdc: 33, Points: 55, NeededMilliVcu: 66, ReputationBeforePpm: 400_000, ReputationPpm: 410_000,
		Paid: true, Reasons: []string{rewardstypes.ReasonStandIn, rewardstypes.ReasonCapForfeit},
		Entries: []rewardstypes.EntryRow{
			{
				Settler: "gpucoord1settler", Class: score.ClassRouted.String(), AmountUusdc: 1_234_567, TakeUusdc: 321, TotalSpendUusdc: 2_000_000,
				ControllerSpendUusdc: 1_234_567, Reason: score.ReasonCounted.String(), CountedUusdc: 8_100, CountedTakeUusdc: 810, Ok: 12, Fail: 3,
				SuccessPpm: 701_234,
			},
			{Settler: "gpucoord1own", Class: score.ClassTrial.String(), Reason: score.ReasonTrial.String(), Accredited: true},
		},
	}
	settlement := rewardstypes.EpochSettlement{
		Epoch: 4, Phase: rewardstypes.Phase_PHASE_DONE, Params: rewardstypes.DefaultParams(), UsageUusdc: 20_000, PoolUusdc: 500, SponsorsUusdc: 70,
		Points: 1_000, StartedHeight: 90, SettledHeight: 91,
	}
	return &rewardstypes.QueryExplainResponse{Row: row, Settlement: settlement, Text: []string{"in words"}}
}

func TestExplainPrintsEveryFactor(t *testing.T) {
	node := newFakeNode(t)
	home := clientHome(t, node.url)
	node.answers["/gpucoord.rewards.v1.Query/Explain"] = explainAnswer()
	operator := bech32Of(t, bytes.Repeat([]byte{1}, 20))
	out, err := gpucoord(t, "query", "rewards", "explain", operator, "4", "--home", home)
	if err != nil {
		t.Fatal(err)
	}
	rest := out
	for _, want := range []string{ // in reading order
		"Epoch 4, operator gpucoord1operator", "gpucoord1controller", "heights 90 to 91",
		"gpucoord1settler, class routed, not accredited: counts at", "1234567 uusdc (1.234567 USDC) of work, take 321 uusdc",
		"12 succeeded, 3 failed", "701234 ppm (70.1234 %)", "of its 2000000 uusdc (2.000000 USDC)", "more than a fifth", "8100 uusdc (0.008100 USDC), take on it 810 uusdc",
		"COUNTED", "gpucoord1own", "TRIAL: free trial work never counts", "9000 uusdc", "8000 uusdc", "900 uusdc",
		"812345 ppm", "990000 ppm (99.0000 %) (STAND-IN", "950000 ppm (95.0000 %) (STAND-IN", "654321 ppm",
		"1500 milli-VCU (1.500 VCU) (SIMULATED", "700 milli-VCU", "77 of 88 tokens", "875000 ppm", "66 milli-VCU", "500000 ppm (50.0000 %) (STAND-IN", "123456 milli-VCU",
		"222 uusdc (0.000222 USDC) = P * u / U = 500 * 9000 / 20000", "33 uusdc", "70 * 9000 / 20000", "44 uusdc", "675 uusdc", "7500 bps (75.00 %)", "78 uusdc",
		"111 uusdc", "22 uusdc", "133 uusdc (0.000133 USDC) = shares 222 + 33 - forfeits 44 - 78", "55; a controller gets at most", "400000 ppm (40.0000 %) before, 410000 ppm",
		"STAND_IN_AVAILABILITY", "CAP_FORFEIT",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q is not there, or too early:\n%s", want, out)
		}
		rest = after
	}
	if out, err = gpucoord(t, "query", "rewards", "explain", operator, "4", "--home", home, "--output", "json"); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Row  map[string]any `json:"row"`
		Text []string       `json:"text"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || answer.Row["reward_uusdc"] != "133" || len(answer.Text) != 1 {
		t.Errorf("JSON: %v, %+v", err, answer)
	}
}

func TestExplainOfRowsThatFailedOrWait(t *testing.T) {
	cdc := newWiring(t).Encoding().Codec
	explain := func(change func(*rewardstypes.OperatorEpoch)) string {
		t.Helper()
		answer := explainAnswer()
		change(&answer.Row)
		raw, err := cdc.MarshalJSON(answer)
		if err != nil {
			t.Fatal(err)
		}
		out, err := explainText(cdc)(raw)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	failed := explain(func(m *rewardstypes.OperatorEpoch) {
		m.Reasons = []string{rewardstypes.ReasonScoreFailed, rewardstypes.AtLedger}
	})
	if !strings.Contains(failed, "Scoring failed") || !strings.Contains(failed, "the usage ledger cannot be read") || strings.Contains(failed, "4. Reward") {
		t.Errorf("a row that failed:\n%s", failed)
	}
	waits := explain(func(m *rewardstypes.OperatorEpoch) { m.Paid = false })
	if !strings.Contains(waits, "Not paid yet") || strings.Contains(waits, "from the pool") {
		t.Errorf("a row that waits:\n%s", waits)
	}
}

// Every code that a row may hold has its meaning.
func TestEveryReasonHasItsMeaning(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../x/rewards/types/reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			code, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes++
			if _, known := meanings[code]; !known {
				t.Errorf("%s has no meaning", code)
			}
		}
		return true
	})
	if codes < 10 {
		t.Errorf("%d codes: the file was not read", codes)
	}
	for r := score.ReasonUnfunded; r <= score.ReasonCounted; r++ {
		if _, known := meanings[r.String()]; !known {
			t.Errorf("%s has no meaning", r)
		}
	}
}

// A message as an argument takes the hex that queries print.
func TestMessageFlagTakesHex(t *testing.T) {
	form := newForm(t)
	builder := &flag.Builder{TypeResolver: protoregistry.GlobalTypes}
	value := messageFlag{form: form, desc: form.find("gpucoord.operators.v1.HostModel")}.NewValue(nil, builder)
	if err := value.Set(`{"model_id":"` + strings.Repeat("ab", 32) + `","price_in_uusdc":"5"}`); err != nil {
		t.Fatal(err)
	}
	got, err := value.Get(protoreflect.Value{})
	if err != nil {
		t.Fatal(err)
	}
	message := got.Message()
	if id := message.Get(message.Descriptor().Fields().ByName("model_id")).Bytes(); !bytes.Equal(id, bytes.Repeat([]byte{0xab}, 32)) {
		t.Errorf("the id is %x", id)
	}
}

// Bytes mean the same in every form that people have them in.
func TestBytesAreReadInEveryForm(t *testing.T) {
	form := newForm(t)
	key, account := bytes.Repeat([]byte{0x02, 0xfe, 0x10}, 11), bytes.Repeat([]byte{7}, 20)
	bech32, err := form.accounts.BytesToString(account)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		want []byte
	}{
		"nothing":                    {"", []byte{}},
		"hex":                        {hex.EncodeToString(key), key},
		"upper-case hex":             {strings.ToUpper(hex.EncodeToString(key)), key},
		"hex after 0x":               {"0x" + hex.EncodeToString(key), key}, // 68 letters, which base64 has too
		"base64":                     {base64.StdEncoding.EncodeToString(key), key},
		"base64 that begins with 0x": {"0x//", []byte{0xd3, 0x1f, 0xff}},
		"account":                    {bech32, account},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := form.read(c.text)
			if err != nil || !bytes.Equal(got, c.want) {
				t.Errorf("%q is %x, %v, want %x", c.text, got, err, c.want)
			}
		})
	}
	for _, text := range []string{"0", "0x0", "not bytes!", "cosmos1qqqsyqcyq5rqwzqfpg9scrgwpugpzysn"} {
		if got, err := form.read(text); !errors.Is(err, errBytes) {
			t.Errorf("%q is %x, %v, want errBytes", text, got, err)
		}
	}
}
