// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestDefaultParamsAreValid(t *testing.T) {
	params := types.DefaultParams()
	require.NoError(t, params.Validate())
	require.NoError(t, types.DefaultGenesis().Validate())
}

func TestUnbondingOutlastsTheWork(t *testing.T) {
	params := types.DefaultParams()
	params.UnbondingBlocks = 148
	require.NoError(t, params.Validate())
	params.UnbondingBlocks = 147
	err := params.Validate()
	require.ErrorIs(t, err, types.ErrInvalidParams)
	require.ErrorContains(t, err, "147 < 2 * (epoch 20 + submit 8 + beacon 16 + open 10 + challenge 10 + response 10) = 148")
}

func TestParamsBounds(t *testing.T) {
	for name, spoil := range map[string]func(*types.Params){
		"no schedule":            func(p *types.Params) { p.Schedule = nil },
		"no genesis height":      func(p *types.Params) { p.Schedule.GenesisHeight = 0 },
		"empty window":           func(p *types.Params) { p.Schedule.BeaconBlocks = 0 },
		"beacon of one block":    func(p *types.Params) { p.Schedule.BeaconBlocks = 1 },
		"endless epoch":          func(p *types.Params) { p.Schedule.EpochBlocks = 100_000_001 },
		"endless unbonding":      func(p *types.Params) { p.UnbondingBlocks = 1 << 63 },
		"no unbondings":          func(p *types.Params) { p.MaxUnbondings = 0 },
		"65 unbondings":          func(p *types.Params) { p.MaxUnbondings = 65 },
		"no payments":            func(p *types.Params) { p.MaxUnbondingsPerBlock = 0 },
		"1001 payments":          func(p *types.Params) { p.MaxUnbondingsPerBlock = 1_001 },
		"free bond":              func(p *types.Params) { p.BondPriceUusdc = 0 },
		"no hosts":               func(p *types.Params) { p.MaxHosts = 0 },
		"257 hosts":              func(p *types.Params) { p.MaxHosts = 257 },
		"17 gpus":                func(p *types.Params) { p.MaxGpus = 17 },
		"no classes":             func(p *types.Params) { p.GpuClasses = nil },
		"65 classes":             func(p *types.Params) { p.GpuClasses = make([]*types.GPUClass, 65) },
		"missing class":          func(p *types.Params) { p.GpuClasses[0] = nil },
		"class twice":            func(p *types.Params) { p.GpuClasses[0].Name = p.GpuClasses[1].Name },
		"class in capitals":      func(p *types.Params) { p.GpuClasses[0].Name = "H100" },
		"class without name":     func(p *types.Params) { p.GpuClasses[0].Name = "" },
		"class without speed":    func(p *types.Params) { p.GpuClasses[0].TokensPerSecond = 0 },
		"class without value":    func(p *types.Params) { p.GpuClasses[0].VcuPpm = 0 },
		"four levels":            func(p *types.Params) { p.LadderBps = p.LadderBps[:4] },
		"falling ladder":         func(p *types.Params) { p.LadderBps[3] = 7_999 },
		"declared capacity":      func(p *types.Params) { p.LadderBps[0], p.LadderBps[1] = 1, 1 },
		"steep ladder":           func(p *types.Params) { p.LadderBps[4] = 10_001 },
		"evidence falls at once": func(p *types.Params) { p.EvidenceZeroBlocks = p.EvidenceFullBlocks },
		"nonce beyond the ring":  func(p *types.Params) { p.CapacityNonceBlocks = 16_385 },
		"low ceiling":            func(p *types.Params) { p.TokenCeilingBps = 9_999 },
		"no block time":          func(p *types.Params) { p.BlockTimeMs = 0 },
		"endless jail":           func(p *types.Params) { p.JailFraudBlocks = 1 << 40 },
		"reputation":             func(p *types.Params) { p.InitialReputationPpm = 1_000_001 },
		"endless double jail":    func(p *types.Params) { p.JailDoubleClaimBlocks = 1 << 40 },
		"endless refusal jail":   func(p *types.Params) { p.JailRefusalBlocks = 1 << 40 },
		"no escalation":          func(p *types.Params) { p.EscalationBlocks = 0 },
		"breaker above all":      func(p *types.Params) { p.BreakerBps = 10_001 },
		"deferred for ever":      func(p *types.Params) { p.DeferredReturnBlocks = 1 << 40 },
		"free report":            func(p *types.Params) { p.ReportBondUltai = 0 },
		"report without time":    func(p *types.Params) { p.ReportBlocks = 1 },
		"no deadlines":           func(p *types.Params) { p.MaxDeadlinesPerBlock = 0 },
		"1001 deadlines":         func(p *types.Params) { p.MaxDeadlinesPerBlock = 1_001 },
		"free verifier":          func(p *types.Params) { p.MinVerifierBondUltai = 0 },
		"no quorum":              func(p *types.Params) { p.VerdictQuorum = 0 },
		"17 verdicts":            func(p *types.Params) { p.VerdictQuorum = 17 },
		"endless attestation":    func(p *types.Params) { p.MaxAttestationSeconds = 1 << 40 },
		"no challenge":           func(p *types.Params) { p.AttestationChallengeSeconds = 0 },
		"root of no format": func(p *types.Params) {
			p.AttestationRoots = []types.AttestationRoot{{Format: "x", Key: make([]byte, 20)}}
		},
		"root of 19 bytes": func(p *types.Params) {
			p.AttestationRoots = []types.AttestationRoot{{Format: "statement/v1", Key: make([]byte, 19)}}
		},
		"root twice": func(p *types.Params) {
			root := types.AttestationRoot{Format: "statement/v1", Key: make([]byte, 20)}
			p.AttestationRoots = []types.AttestationRoot{root, root}
		},
		"17 roots": func(p *types.Params) {
			for i := range 17 {
				p.AttestationRoots = append(p.AttestationRoots, types.AttestationRoot{Format: "statement/v1", Key: append(make([]byte, 19), byte(i))})
			}
		},
		"free prober":    func(p *types.Params) { p.MinProberBondUltai = 0 },
		"no commitments": func(p *types.Params) { p.ProbeCommitBlocks = 0 },
		"no reveals":     func(p *types.Params) { p.ProbeRevealBlocks = 0 },
		"no medians":     func(p *types.Params) { p.MaxMediansPerBlock = 0 },
		"1793 medians":   func(p *types.Params) { p.MaxMediansPerBlock = 1_793 },
		"copies of all":  func(p *types.Params) { p.CopyRows = 257 },
		"fine above all": func(p *types.Params) { p.ProberFineBps = 10_001 },
		"dear probes":    func(p *types.Params) { p.ProbePriceUusdc = 1_000_000_001 },
		"no EVM chain":   func(p *types.Params) { p.EvmChainId = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			params := types.DefaultParams()
			spoil(&params)
			require.ErrorIs(t, params.Validate(), types.ErrInvalidParams)
		})
	}
}

// Panels conclude before a batch of their epoch can be final.
func TestPanelsEndBeforeSettlement(t *testing.T) {
	params := types.DefaultParams()
	params.ProbeRevealBlocks = 36 // 4 + 36 + 4 blocks of medians
	require.NoError(t, params.Validate())
	params.ProbeRevealBlocks = 37
	err := params.Validate()
	require.ErrorIs(t, err, types.ErrInvalidParams)
	require.ErrorContains(t, err, "4 + probe_reveal 37 + medians of 1792 hosts 4 = 45 > submit 8 + beacon 16 + open 10 + challenge 10 = 44")
}

// The commitment is SHA-256 of the bytes that the README lists, which are written out here.
func TestProbeCommitment(t *testing.T) {
	row := types.ProbeRow{HostId: bytes.Repeat([]byte{0xaa}, 32), UpPpm: 1, ModelsAnswered: 2, ModelsListed: 3, TtftMs: 4, TokensS: 5}
	encoded, err := hex.DecodeString(strings.Repeat("aa", 32) + "00000001" + "00000002" + "00000003" + "00000004" + "00000005")
	require.NoError(t, err)
	rows := sha256.Sum256(encoded)
	preimage, err := hex.DecodeString("47435031" + strings.Repeat("11", 32) + "0000000000000007" + strings.Repeat("22", 20) +
		strings.Repeat("33", 32) + hex.EncodeToString(rows[:]))
	require.NoError(t, err)
	require.Len(t, preimage, 128)
	got := types.ProbeCommitment([32]byte(bytes.Repeat([]byte{0x11}, 32)), 7, [20]byte(bytes.Repeat([]byte{0x22}, 20)),
		[32]byte(bytes.Repeat([]byte{0x33}, 32)), []types.ProbeRow{row})
	require.Equal(t, sha256.Sum256(preimage), got)
}

func TestStatelessRefusals(t *testing.T) {
	id := bytes.Repeat([]byte{1}, 32)
	reveal := func(rows ...types.ProbeRow) *types.MsgRevealObservations {
		return &types.MsgRevealObservations{Salt: id, Rows: rows}
	}
	for name, msg := range map[string]interface{ ValidateBasic() error }{
		"bond of nothing":      &types.MsgBond{},
		"unbond of nothing":    &types.MsgUnbond{},
		"operator unnamed":     &types.MsgRegisterOperator{},
		"update unnamed":       &types.MsgUpdateOperator{},
		"host without key":     &types.MsgRegisterHost{},
		"key without host":     &types.MsgRegisterHostKey{},
		"gpus without host":    &types.MsgCommitGPUs{},
		"statement of nothing": &types.MsgSubmitCapacity{HostId: []byte("0123456789abcdef0123456789abcdef")},
		"grant without end":    &types.MsgAuthoriseRelayer{},
		"link of nothing":      &types.MsgLinkNode{},
		"report of nothing":    &types.MsgCommitReport{},
		"verifier unnamed":     &types.MsgRegisterVerifier{BondUltai: 1},
		"verifier unbonded":    &types.MsgRegisterVerifier{Moniker: "x"},
		"evidence of nothing":  &types.MsgSubmitAttestation{HostId: make([]byte, 32), Claims: 1, Format: "statement/v1"},
		"evidence too long":    &types.MsgSubmitAttestation{HostId: make([]byte, 32), Claims: 1, Evidence: make([]byte, 16_385)},
		"evidence for nothing": &types.MsgSubmitAttestation{HostId: make([]byte, 32), Evidence: make([]byte, 1)},
		"evidence for more":    &types.MsgSubmitAttestation{HostId: make([]byte, 32), Evidence: make([]byte, 1), Claims: 16},
		"evidence backwards":   &types.MsgSubmitAttestation{HostId: make([]byte, 32), Evidence: make([]byte, 1), Claims: 1, NotBefore: 1},
		"verdict of nothing":   &types.MsgSignVerdict{},
		"verdict for more":     &types.MsgSignVerdict{Ref: make([]byte, 32), Claims: 16},
		"challenge of nothing": &types.MsgChallengeAttestation{},
		"prober unnamed":       &types.MsgRegisterProber{BondUltai: 1},
		"prober unbonded":      &types.MsgRegisterProber{Moniker: "x"},
		"observations of none": &types.MsgCommitObservations{},
		"reveal unsalted":      &types.MsgRevealObservations{Rows: make([]types.ProbeRow, 1)},
		"reveal of nothing":    reveal(),
		"reveal of too much":   reveal(make([]types.ProbeRow, 257)...),
		"row of no models":     reveal(types.ProbeRow{HostId: id}),
		"row of more answers":  reveal(types.ProbeRow{HostId: id, ModelsListed: 1, ModelsAnswered: 2}),
		"row too good":         reveal(types.ProbeRow{HostId: id, ModelsListed: 1, UpPpm: 1_000_001}),
		"row too slow":         reveal(types.ProbeRow{HostId: id, ModelsListed: 1, TtftMs: 3_600_001}),
		"host twice":           reveal(types.ProbeRow{HostId: id, ModelsListed: 1}, types.ProbeRow{HostId: id, ModelsListed: 1}),
		"challenge unsalted":   &types.MsgChallengeAttestation{Ref: make([]byte, 32)},
	} {
		require.ErrorIs(t, msg.ValidateBasic(), types.ErrInvalidRequest, name)
	}
	require.NoError(t, (&types.MsgRevokeRelayer{}).ValidateBasic())
	require.ErrorIs(t, (&types.MsgUpdateParams{}).ValidateBasic(), types.ErrInvalidParams)
}
