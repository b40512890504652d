// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/x/operators/types"
)

// busy has an entry in every collection.
func busy(t *testing.T) *fixture {
	t.Helper()
	f, alices, bobs := stand(t)
	second := f.host(t, "alice", "a2")
	f.submit(t, f.statement(t, "alice", alices, "a", 29, gpu(0, "d0"), gpu(1, "d1")))
	f.commit(t, "alice", second, gpu(0, "d2"))
	f.commit(t, "bob", bobs, gpu(7, "d3"))
	proof := f.keyProof(t, "bob", "b2")
	_, err := f.msgs.RegisterHostKey(f.ctx, &types.MsgRegisterHostKey{
		Operator: addr("bob"), HostId: bobs, PublicKey: key("b2").PubKey().SerializeCompressed(), KeyProof: proof[:],
	})
	require.NoError(t, err)
	for _, amount := range []uint64{5, 6, 7} {
		_, err := f.msgs.Unbond(f.ctx, &types.MsgUnbond{Operator: addr("bob"), AmountUltai: amount})
		require.NoError(t, err)
	}
	for _, relayer := range []string{"hot1", "hot2"} {
		_, err := f.msgs.AuthoriseRelayer(f.ctx, &types.MsgAuthoriseRelayer{Operator: addr("alice"), Relayer: addr(relayer), ExpiresHeight: 40})
		require.NoError(t, err)
	}
	_, err = f.msgs.LinkNode(f.ctx, f.link("alice", "owner", 1))
	require.NoError(t, err)
	f.consent(t, "holding", "carol", true)
	offences(t, f)
	panels(t, f, alices)
	f.end(t)
	return f
}

// offences adds an entry to every collection that offences, reports and attestations keep.
func offences(t *testing.T, f *fixture) {
	t.Helper()
	for _, name := range []string{"vera", "viktor"} {
		_, err := f.msgs.RegisterVerifier(f.ctx, &types.MsgRegisterVerifier{Verifier: addr(name), Moniker: name, BondUltai: 10_000_000})
		require.NoError(t, err)
	}
	msg := f.proof(t, "root", types.StatementRaw, func(s *types.Statement) { s.NonceHeight, s.BlockHash = 30, blockHash(30) })
	f.accepted(t, msg, "vera", "viktor")
	_, err := f.msgs.LeaveVerifiers(f.ctx, &types.MsgLeaveVerifiers{Verifier: addr("viktor")})
	require.NoError(t, err)
	_, err = f.msgs.CommitReport(f.ctx, &types.MsgCommitReport{Reporter: addr("carol"), Commitment: hash32("c")})
	require.NoError(t, err)
	_, _, err = f.k.OpenReport(f.ctx, raw("carol"))
	require.NoError(t, err)
	_, err = f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceStaleAttestation, Operator: raw("bob"), EvidenceID: [32]byte(hash32("e"))})
	require.NoError(t, err)
	p, err := f.k.Punish(f.ctx, types.Offence{Kind: types.OffenceReservedRefusal, Operator: raw("bob"), Reporter: raw("carol")})
	require.NoError(t, err)
	require.True(t, p.Deferred)
}

// panels adds an entry to every collection that panels of probers keep: epoch 2 concluded something, epoch 3 has revealed.
func panels(t *testing.T, f *fixture, host []byte) {
	t.Helper()
	for i := range 5 {
		f.prober(t, proberName(i), 10_000_000)
	}
	for e := uint64(2); e <= 3; e++ {
		first := int64(1 + 20*e) //nolint:gosec // a height
		f.begin(t, first)
		for i := range 4 {
			f.commitRows(t, proberName(i), e, row(host, uint32(i))) //nolint:gosec // small
		}
		f.begin(t, first+24)
		for i := range 4 {
			f.revealRows(t, proberName(i), e, row(host, uint32(i))) //nolint:gosec // small
		}
		if e == 2 {
			f.begin(t, 72)
			require.NoError(t, f.k.EndBlock(f.ctx))
		}
	}
	_, err := f.msgs.UnbondProber(f.ctx, &types.MsgUnbondProber{Prober: addr("p4")})
	require.NoError(t, err)
}

func TestGenesisRoundTrip(t *testing.T) {
	f := busy(t)
	exported, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	for name, length := range map[string]int{
		"operators": len(exported.Operators), "hosts": len(exported.Hosts), "host keys": len(exported.HostKeys), "gpus": len(exported.Gpus),
		"unbondings": len(exported.Unbondings), "grants": len(exported.RelayerGrants), "links": len(exported.NodeLinks),
		"consents":  len(exported.ControllerConsents),
		"deadlines": len(exported.Deadlines), "used evidence": len(exported.UsedEvidence), "strikes": len(exported.Strikes),
		"deferred": len(exported.DeferredPunishments), "reports": len(exported.Reports), "verifiers": len(exported.Verifiers),
		"attestations": len(exported.Attestations),
		"probers":      len(exported.Probers), "panels": len(exported.Panels), "observations": len(exported.Observations),
		"availabilities": len(exported.Availabilities), "measured from": int(exported.MeasuredFrom),
		"block hashes": len(exported.BlockHashes), "epoch starts": len(exported.EpochStarts),
	} {
		require.NotZero(t, length, name)
	}
	require.EqualValues(t, 3, exported.NextUnbondingId)

	other := emptyFixture(t)
	other.ctx = other.ctx.WithBlockHeight(86)
	other.owns(f.bank.of(types.ModuleName))
	require.NoError(t, other.k.InitGenesis(other.ctx, exported))
	require.Equal(t, f.export(t), other.export(t))
	require.NoError(t, other.k.CheckInvariants(other.ctx))

	// The imported chain goes on where the exported one stopped.
	other.begin(t, 230)
	other.end(t)
	require.Zero(t, other.get(t, "bob").UnbondingUltai)
}

func TestGenesisNeedsTheMoneyItOwes(t *testing.T) {
	f := busy(t)
	exported, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	other := emptyFixture(t)
	other.ctx = other.ctx.WithBlockHeight(86)
	other.owns(f.bank.of(types.ModuleName) - 1)
	require.ErrorIs(t, other.k.InitGenesis(other.ctx, exported), types.ErrInvalidGenesis)
}

func TestGenesisFaults(t *testing.T) {
	for name, spoil := range map[string]func(*types.GenesisState){
		"operator twice":         func(gs *types.GenesisState) { gs.Operators = append(gs.Operators, gs.Operators[0]) },
		"operator status":        func(gs *types.GenesisState) { gs.Operators[0].Status = 0 },
		"operator reputation":    func(gs *types.GenesisState) { gs.Operators[0].ReputationPpm = 1_000_001 },
		"jail without beginning": func(gs *types.GenesisState) { gs.Operators[0].JailedUntil = 9 },
		"jail without end":       func(gs *types.GenesisState) { gs.Operators[0].JailedFrom = 9 },
		"jail of no blocks":      func(gs *types.GenesisState) { gs.Operators[0].JailedFrom, gs.Operators[0].JailedUntil = 9, 9 },
		"tombstone that ends": func(gs *types.GenesisState) {
			gs.Operators[0].Status = types.OperatorStatus_OPERATOR_STATUS_TOMBSTONED
			gs.Operators[0].JailedFrom, gs.Operators[0].JailedUntil = 9, 90
		},
		"operator hosts":      func(gs *types.GenesisState) { gs.Operators[0].Hosts++ },
		"operator unbondings": func(gs *types.GenesisState) { gs.Operators[0].Unbondings++ },
		"operator unbonding":  func(gs *types.GenesisState) { gs.Operators[0].UnbondingUltai++ },
		"operator bond": func(gs *types.GenesisState) {
			gs.Operators[0].BondUltai = 1<<64 - 1
			gs.Operators[0].UnbondingUltai = 1
		},
		"host twice":            func(gs *types.GenesisState) { gs.Hosts = append(gs.Hosts, gs.Hosts[0]) },
		"host of nobody":        func(gs *types.GenesisState) { gs.Hosts[0].Operator = addr("nobody") },
		"host gpus":             func(gs *types.GenesisState) { gs.Hosts[0].Gpus++ },
		"host endpoint":         func(gs *types.GenesisState) { gs.Hosts[0].Endpoint = "" },
		"host key missing":      func(gs *types.GenesisState) { gs.Hosts[0].ReceiptKey = make([]byte, 20) },
		"host number":           func(gs *types.GenesisState) { gs.Hosts[0].Number = 9 },
		"key twice":             func(gs *types.GenesisState) { gs.HostKeys = append(gs.HostKeys, gs.HostKeys[0]) },
		"key address":           func(gs *types.GenesisState) { gs.HostKeys[0].Address[0]++ },
		"key of no host":        func(gs *types.GenesisState) { gs.HostKeys[0].HostId = hash32("none") },
		"key of other operator": func(gs *types.GenesisState) { gs.HostKeys[0].Operator = addr("nobody") },
		"gpu twice":             func(gs *types.GenesisState) { gs.Gpus = append(gs.Gpus, gs.Gpus[0]) },
		"device twice":          func(gs *types.GenesisState) { gs.Gpus[1].DeviceHash = gs.Gpus[0].DeviceHash },
		"gpu of no host":        func(gs *types.GenesisState) { gs.Gpus[0].HostId = hash32("none") },
		"gpu level":             func(gs *types.GenesisState) { gs.Gpus[0].Level = 3 },
		"gpu memory":            func(gs *types.GenesisState) { gs.Gpus[0].MemoryMib = 0 },
		"unbonding twice":       func(gs *types.GenesisState) { gs.Unbondings[1].Id = gs.Unbondings[0].Id },
		"unbonding of nobody":   func(gs *types.GenesisState) { gs.Unbondings[0].Operator = addr("nobody") },
		"unbonding of nothing":  func(gs *types.GenesisState) { gs.Unbondings[0].AmountUltai = 0 },
		"unbonding id":          func(gs *types.GenesisState) { gs.NextUnbondingId = 2 },
		"grant twice":           func(gs *types.GenesisState) { gs.RelayerGrants[1] = gs.RelayerGrants[0] },
		"grant of nobody":       func(gs *types.GenesisState) { gs.RelayerGrants[0].Operator = addr("nobody") },
		"grant without end":     func(gs *types.GenesisState) { gs.RelayerGrants[0].ExpiresHeight = 0 },
		"link twice":            func(gs *types.GenesisState) { gs.NodeLinks = append(gs.NodeLinks, gs.NodeLinks[0]) },
		"link to nobody":        func(gs *types.GenesisState) { gs.NodeLinks[0].Operator = addr("nobody") },
		"link owner":            func(gs *types.GenesisState) { gs.NodeLinks[0].Owner = nil },
		"hash twice":            func(gs *types.GenesisState) { gs.BlockHashes[1].Height = gs.BlockHashes[0].Height },
		"hash length":           func(gs *types.GenesisState) { gs.BlockHashes[0].Hash = []byte{1} },
		"epoch start twice":     func(gs *types.GenesisState) { gs.EpochStarts[1].Epoch = gs.EpochStarts[0].Epoch },
		"consent twice": func(gs *types.GenesisState) {
			gs.ControllerConsents = append(gs.ControllerConsents, gs.ControllerConsents[0])
		},
		"consent of nobody": func(gs *types.GenesisState) { gs.ControllerConsents[0].Controller = "" },
		"too many gpus": func(gs *types.GenesisState) {
			for i := range 16 {
				extra := gs.Gpus[0]
				extra.Index, extra.DeviceHash = uint32(100+i), hash32(string(rune('A'+i)))
				gs.Gpus = append(gs.Gpus, extra)
			}
			for i := range gs.Hosts {
				if string(gs.Hosts[i].Id) == string(gs.Gpus[0].HostId) {
					gs.Hosts[i].Gpus += 16
				}
			}
		},
		"evidence twice":     func(gs *types.GenesisState) { gs.UsedEvidence = append(gs.UsedEvidence, gs.UsedEvidence[0]) },
		"evidence of nobody": func(gs *types.GenesisState) { gs.UsedEvidence[0].Operator = addr("nobody") },
		"evidence of no row": func(gs *types.GenesisState) { gs.UsedEvidence[0].Offence = "x" },
		"evidence for ever":  func(gs *types.GenesisState) { gs.Deadlines = gs.Deadlines[1:] },
		"strikes of nobody":  func(gs *types.GenesisState) { gs.Strikes[0].Operator = addr("nobody") },
		"strikes that fall":  func(gs *types.GenesisState) { gs.Strikes[0].Heights = []uint64{5, 4} },
		"strikes of nothing": func(gs *types.GenesisState) { gs.Strikes[0].Heights = nil },
		"deferred twice": func(gs *types.GenesisState) {
			gs.DeferredPunishments = append(gs.DeferredPunishments, gs.DeferredPunishments[0])
		},
		"deferred id":          func(gs *types.GenesisState) { gs.NextDeferredId = 0 },
		"deferred of no row":   func(gs *types.GenesisState) { gs.DeferredPunishments[0].Offence.Offence = "x" },
		"breaker without sum":  func(gs *types.GenesisState) { gs.Breaker.HitUltai = math.Int{} },
		"report twice":         func(gs *types.GenesisState) { gs.Reports = append(gs.Reports, gs.Reports[0]) },
		"report id":            func(gs *types.GenesisState) { gs.LastReportId = 1 },
		"report state":         func(gs *types.GenesisState) { gs.Reports[0].State = 3 },
		"report without bond":  func(gs *types.GenesisState) { gs.Reports[0].BondUltai = 0 },
		"report commitment":    func(gs *types.GenesisState) { gs.Reports[0].Commitment = nil },
		"report without end":   func(gs *types.GenesisState) { gs.Reports[1].State, gs.Reports[1].Commitment = 1, hash32("c") },
		"verifier twice":       func(gs *types.GenesisState) { gs.Verifiers = append(gs.Verifiers, gs.Verifiers[0]) },
		"verifier address":     func(gs *types.GenesisState) { gs.Verifiers[0].Address = "vera" },
		"verifier status":      func(gs *types.GenesisState) { gs.Verifiers[0].Status = 0 },
		"verifier bond":        func(gs *types.GenesisState) { gs.Verifiers[0].BondUltai = 0 },
		"verifier release":     func(gs *types.GenesisState) { gs.Verifiers[0].ReleaseAt, gs.Verifiers[1].ReleaseAt = 7, 7 },
		"attestation twice":    func(gs *types.GenesisState) { gs.Attestations = append(gs.Attestations, gs.Attestations[0]) },
		"attestation bytes":    func(gs *types.GenesisState) { gs.Attestations[0].Evidence = []byte{1} },
		"attestation of none":  func(gs *types.GenesisState) { gs.Attestations[0].HostId = hash32("none") },
		"attestation claims":   func(gs *types.GenesisState) { gs.Attestations[0].AcceptedClaims = 8 },
		"attestation state":    func(gs *types.GenesisState) { gs.Attestations[0].State = 1 },
		"attestation root":     func(gs *types.GenesisState) { gs.Attestations[0].Roots = [][]byte{{1}} },
		"attestation verdicts": func(gs *types.GenesisState) { gs.Attestations[0].Verdicts[1] = gs.Attestations[0].Verdicts[0] },
		"deadline twice":       func(gs *types.GenesisState) { gs.Deadlines = append(gs.Deadlines, gs.Deadlines[0]) },
		"deadline of nothing": func(gs *types.GenesisState) {
			gs.Deadlines = append(gs.Deadlines, types.Deadline{Kind: 1, Id: types.NumberID(99), At: 5})
		},
		"prober twice":      func(gs *types.GenesisState) { gs.Probers = append(gs.Probers, gs.Probers[0]) },
		"prober address":    func(gs *types.GenesisState) { gs.Probers[0].Address = "p0" },
		"prober status":     func(gs *types.GenesisState) { gs.Probers[0].Status = 0 },
		"prober slot twice": func(gs *types.GenesisState) { gs.Probers[0].Slot = gs.Probers[1].Slot },
		"prober slot gap":   func(gs *types.GenesisState) { gs.Probers[0].Slot += 100 },
		"prober absent":     func(gs *types.GenesisState) { gs.Probers[0].Absent = 2 },
		"panel twice":       func(gs *types.GenesisState) { gs.Panels = append(gs.Panels, gs.Panels[0]) },
		"panel seed":        func(gs *types.GenesisState) { gs.Panels[0].Seed = nil },
		"panel seat twice":  func(gs *types.GenesisState) { gs.Panels[0].Seats[1] = gs.Panels[0].Seats[0] },
		"panel seat state":  func(gs *types.GenesisState) { gs.Panels[0].Seats[0].State = 9 },
		"panel commitment":  func(gs *types.GenesisState) { gs.Panels[0].Seats[0].Commitment = []byte{1} },
		"panel for ever": func(gs *types.GenesisState) {
			gs.Deadlines = slices.DeleteFunc(gs.Deadlines, func(d types.Deadline) bool {
				return d.Kind == types.DeadlineKind_DEADLINE_KIND_PANEL
			})
		},
		"observation twice":      func(gs *types.GenesisState) { gs.Observations = append(gs.Observations, gs.Observations[0]) },
		"observation of no seat": func(gs *types.GenesisState) { gs.Observations[0].Seat = 7 },
		"observation of none":    func(gs *types.GenesisState) { gs.Observations[0].Row.HostId = hash32("none") },
		"observation too good":   func(gs *types.GenesisState) { gs.Observations[0].Row.UpPpm = 1_000_001 },
		"availability twice":     func(gs *types.GenesisState) { gs.Availabilities = append(gs.Availabilities, gs.Availabilities[0]) },
		"availability of none":   func(gs *types.GenesisState) { gs.Availabilities[0].Operator = addr("nobody") },
		"availability too good":  func(gs *types.GenesisState) { gs.Availabilities[0].UpPpmSum = 1_000_001 },
		"availability unknown":   func(gs *types.GenesisState) { gs.MeasuredFrom = 0 },
		"epoch start price":      func(gs *types.GenesisState) { gs.EpochStarts[0].BondPriceUusdc = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			f := busy(t)
			gs, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			require.NoError(t, gs.Validate())
			spoil(gs)
			require.ErrorIs(t, gs.Validate(), types.ErrInvalidGenesis)
		})
	}
}

func TestGenesisStartsAboveItsPast(t *testing.T) {
	f := busy(t) // at height 85
	for name, change := range map[string]func(*types.GenesisState){
		"block hashes": func(gs *types.GenesisState) { gs.EpochStarts = nil },
		"epoch starts": func(gs *types.GenesisState) { gs.BlockHashes, gs.EpochStarts[0].Epoch = nil, 9 },
	} {
		t.Run(name, func(t *testing.T) {
			gs, err := f.k.ExportGenesis(f.ctx)
			require.NoError(t, err)
			change(gs)
			other := emptyFixture(t)
			other.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))] = 2_000_000
			require.ErrorContains(t, other.k.InitGenesis(other.ctx.WithBlockHeight(30), gs), "initial_height")
		})
	}
}

// A chain that goes on long after its export has a gap in the ring. What lies before the gap must go away all the same.
func TestClockForgetsWhatLiesBeforeAGap(t *testing.T) {
	f := newFixture(t)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	gs.BlockHashes, gs.EpochStarts = nil, nil
	for at := uint64(1); at <= types.BlockHashRing; at++ {
		hash := blockHash(int64(at))
		gs.BlockHashes = append(gs.BlockHashes, types.BlockHash{Height: at, Hash: hash[:]})
	}
	for e := range uint64(types.EpochStartsKept) {
		gs.EpochStarts = append(gs.EpochStarts, types.EpochStart{Epoch: 600 + e, Time: 1, BondPriceUusdc: 100_000})
	}
	first := int64(types.BlockHashRing + 40)
	other := emptyFixture(t)
	require.NoError(t, other.k.InitGenesis(other.ctx.WithBlockHeight(first), gs))
	other.begin(t, first) // epoch 821, many after the last one known
	other.end(t)
	for at := first + 1; at < first+60; at++ {
		other.begin(t, at)
	}
	other.end(t)
	for at := int64(1); at <= 99; at++ {
		_, err := other.k.BlockHash(other.ctx, uint64(at))
		require.ErrorIs(t, err, types.ErrNoBlockHash, "block %d", at)
	}
	_, err = other.k.BlockHash(other.ctx, 100)
	require.NoError(t, err)
	left, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.NoError(t, left.Validate())
	_, found, err := other.k.EpochStartTime(other.ctx, 600)
	require.NoError(t, err)
	require.False(t, found)
}

func TestGenesisRefusesASecondSpelling(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	again := gs.Operators[0]
	again.Address = strings.ToUpper(again.Address)
	gs.Operators = append(gs.Operators, again)
	other := emptyFixture(t)
	require.ErrorIs(t, other.k.InitGenesis(other.ctx.WithBlockHeight(2), gs), types.ErrInvalidAddress)
}

func TestGenesisChecksHostIDs(t *testing.T) {
	f := busy(t)
	gs, err := f.k.ExportGenesis(f.ctx)
	require.NoError(t, err)
	// Swapping the numbers of an operator's two hosts keeps every count, but not the ids.
	var alices []*types.Host
	for i := range gs.Hosts {
		if gs.Hosts[i].Operator == addr("alice") {
			alices = append(alices, &gs.Hosts[i])
		}
	}
	alices[0].Number, alices[1].Number = alices[1].Number, alices[0].Number
	require.NoError(t, gs.Validate())
	other := emptyFixture(t)
	require.ErrorIs(t, other.k.InitGenesis(other.ctx, gs), types.ErrInvalidGenesis)
}

func TestInvariantsNoticeMissingMoney(t *testing.T) {
	f := busy(t)
	f.bank.balances[string(authtypes.NewModuleAddress(types.ModuleName))]--
	require.ErrorIs(t, f.k.CheckInvariants(f.ctx), types.ErrInvariant)
}
