// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/anchors/keeper"
	"github.com/gpucoord/gpucoord/x/anchors/signer"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// newNet starts two nodes with validators of these powers; patch changes the parameters of anchors.
func newNet(t *testing.T, powers []int64, patch func(*anchorstypes.Params)) *apptest.Net {
	t.Helper()
	net, err := apptest.NewNet(apptest.Options{
		Powers: powers, AnchorKeys: true,
		Patch: func(a *app.App, state app.GenesisState) error {
			return apptest.Edit(a.Encoding().Codec, state, anchorstypes.ModuleName, &anchorstypes.GenesisState{}, func(gs *anchorstypes.GenesisState) error {
				if patch != nil {
					patch(&gs.Params)
				}
				return nil
			})
		},
	}, 2)
	require.NoError(t, err)
	return net
}

func equal(n int) []int64 {
	powers := make([]int64, n)
	for i := range powers {
		powers[i] = 1_000
	}
	return powers
}

// steps runs n heights without transactions, and checks the whole state after each.
func steps(t *testing.T, net *apptest.Net, n int) {
	t.Helper()
	for range n {
		_, err := net.Step()
		require.NoError(t, err)
		require.NoError(t, net.App.Anchors.CheckInvariants(net.Context()))
	}
}

func latest(t *testing.T, net *apptest.Net) anchorstypes.AttestedAnchor {
	t.Helper()
	response, err := keeper.NewQueryServer(net.App.Anchors).LatestAnchor(net.Context(), nil)
	require.NoError(t, err)
	return response.Anchor
}

func ballot(t *testing.T, net *apptest.Net) *anchorstypes.Ballot {
	t.Helper()
	open, err := net.App.Anchors.Ballot(net.Context())
	require.NoError(t, err)
	return open
}

// An anchor opened by a block is signed with the next block's votes and attested by the one after; what relayers get is what the
// contract checks.
func TestAnchorIsAttestedInTwoBlocks(t *testing.T) {
	for _, n := range []int{1, 4, 100} {
		net := newNet(t, equal(n), nil)
		steps(t, net, 1)
		require.EqualValues(t, 1, ballot(t, net).Anchor.Nonce, "the first anchor is due at once")
		steps(t, net, 1)
		response, err := net.Step()
		require.NoError(t, err)
		require.NotZero(t, response.TxResults[0].Code, "the signatures stand first and are no transaction")
		require.Equal(t, "sdk", response.TxResults[0].Codespace)
		require.EqualValues(t, 2, response.TxResults[0].Code)
		require.Zero(t, response.TxResults[0].GasUsed)

		attested := latest(t, net)
		require.EqualValues(t, 3, attested.AttestedHeight)
		require.Len(t, attested.Signatures, n)
		require.True(t, attested.ChangesSet)
		require.EqualValues(t, 1, attested.Era)
		requireContractTakes(t, net, attested)

		for range 3 {
			response, err := net.Step()
			require.NoError(t, err)
			require.Empty(t, response.TxResults, "nothing is proposed twice")
		}
	}
}

// requireContractTakes checks an attested anchor as the contract does.
func requireContractTakes(t *testing.T, net *apptest.Net, attested anchorstypes.AttestedAnchor) {
	t.Helper()
	origin, err := net.App.Anchors.Origin(net.Context())
	require.NoError(t, err)
	statement, err := attested.Anchor.Domain()
	require.NoError(t, err)
	set, err := net.App.Anchors.Valset(net.Context(), attested.SignersHash)
	require.NoError(t, err)
	signed, err := attested.Signed()
	require.NoError(t, err)
	bitmap, signatures, err := set.Quorum(signed)
	require.NoError(t, err)
	require.NoError(t, set.Verify(anchor.NewDomain(origin).Digest(statement), bitmap, signatures, receipt.RecoverAddress))
	hash := set.Hash()
	require.Equal(t, attested.SignersHash, hash[:])
}

// Four validators, one of them silent, one late with a good signature, one late with a bad one: the chain and the anchors go on.
func TestBadVotesCostOnlyThemselves(t *testing.T) {
	for name, c := range map[string]struct {
		vote func(honest []byte) apptest.Cast
		want int
	}{
		"silent": {func([]byte) apptest.Cast { return apptest.Cast{} }, 3},
		"absent": {func([]byte) apptest.Cast { return apptest.Cast{Absent: true} }, 3},
		"late":   {func(honest []byte) apptest.Cast { return apptest.Cast{Extension: honest, Late: true} }, 4},
		"wrong": {func(honest []byte) apptest.Cast {
			if len(honest) > 0 {
				honest[40] ^= 1
			}
			return apptest.Cast{Extension: honest, Late: true}
		}, 3},
		"garbage": {func([]byte) apptest.Cast { return apptest.Cast{Extension: []byte("garbage"), Late: true} }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			net := newNet(t, equal(4), nil)
			net.Vote = func(v *apptest.Validator, honest []byte) apptest.Cast {
				if v == net.Validators[2] {
					return c.vote(honest)
				}
				return apptest.Cast{Extension: honest}
			}
			steps(t, net, 3)
			require.Len(t, latest(t, net).Signatures, c.want)
			steps(t, net, 2)
		})
	}
}

// What is no signature of the open anchor is refused as a vote extension; nothing never is.
func TestVerifyVoteExtension(t *testing.T) {
	net := newNet(t, equal(4), nil)
	steps(t, net, 1)
	honest, err := net.Honest(net.Validators[0])
	require.NoError(t, err)
	stranger, err := apptest.ReceiptKey("stranger")
	require.NoError(t, err)
	foreign := receipt.Sign(stranger, ballot(t, net).Digest)
	other := receipt.Sign(net.Validators[0].AnchorKey, [32]byte{1})
	malleable := append([]byte(nil), honest...)
	malleable[64] ^= 1
	for name, c := range map[string]struct {
		extension []byte
		want      abci.ResponseVerifyVoteExtension_VerifyStatus
	}{
		"nothing": {nil, abci.ResponseVerifyVoteExtension_ACCEPT}, "honest": {honest, abci.ResponseVerifyVoteExtension_ACCEPT},
		"stranger": {foreign[:], abci.ResponseVerifyVoteExtension_REJECT}, "other digest": {other[:], abci.ResponseVerifyVoteExtension_REJECT},
		"other v": {malleable, abci.ResponseVerifyVoteExtension_REJECT}, "short": {honest[:64], abci.ResponseVerifyVoteExtension_REJECT},
		"long": {append(append([]byte(nil), honest...), 0), abci.ResponseVerifyVoteExtension_REJECT},
		"zero": {make([]byte, 65), abci.ResponseVerifyVoteExtension_REJECT},
	} {
		response, err := net.App.VerifyVoteExtension(&abci.RequestVerifyVoteExtension{Height: 2, VoteExtension: c.extension})
		require.NoError(t, err)
		require.Equal(t, c.want, response.Status, name)
	}
}

// A proposal is refused for anchor signatures that are wrong, and for nothing else about them.
func TestProposalsWithAnchorSignatures(t *testing.T) {
	net := newNet(t, equal(4), nil)
	steps(t, net, 2)
	good, err := net.Propose()
	require.NoError(t, err)
	require.Len(t, good, 1)
	envelope, err := anchorstypes.ParseEnvelope(good[0])
	require.NoError(t, err)
	edit := func(change func(*anchorstypes.Envelope)) [][]byte {
		changed := anchorstypes.Envelope{Nonce: envelope.Nonce, Signatures: append([]anchor.Signed(nil), envelope.Signatures...)}
		change(&changed)
		return [][]byte{changed.Bytes()}
	}
	for name, c := range map[string]struct {
		txs  [][]byte
		want bool
	}{
		"good": {good, true}, "absent": {nil, true},
		"one is left out":  {edit(func(e *anchorstypes.Envelope) { e.Signatures = e.Signatures[1:] }), true},
		"with a bad tx":    {[][]byte{good[0], []byte("garbage")}, true},
		"twice":            {[][]byte{good[0], good[0]}, false},
		"not first":        {[][]byte{[]byte("garbage"), good[0]}, false},
		"nonce":            {edit(func(e *anchorstypes.Envelope) { e.Nonce++ }), false},
		"bad signature":    {edit(func(e *anchorstypes.Envelope) { e.Signatures[1].Signature[3] ^= 1 }), false},
		"wrong member":     {edit(func(e *anchorstypes.Envelope) { e.Signatures[3].Member = 4 }), false},
		"double member":    {edit(func(e *anchorstypes.Envelope) { e.Signatures[1] = e.Signatures[0] }), false},
		"unordered":        {edit(func(e *anchorstypes.Envelope) { e.Signatures[0], e.Signatures[1] = e.Signatures[1], e.Signatures[0] }), false},
		"empty":            {edit(func(e *anchorstypes.Envelope) { e.Signatures = nil }), false},
		"trailing byte":    {[][]byte{append(append([]byte(nil), good[0]...), 0)}, false},
		"the prefix alone": {[][]byte{good[0][:8]}, false},
	} {
		accepted, err := net.Accepts(c.txs)
		require.NoError(t, err)
		require.Equal(t, c.want, accepted, name)
	}
	steps(t, net, 1)
	accepted, err := net.Accepts(good)
	require.NoError(t, err)
	require.False(t, accepted, "signatures that are on chain already")
}

// A block that carries wrong signatures, because others' nodes took it, is run like any other and collects nothing.
func TestBlockWithWrongSignaturesRuns(t *testing.T) {
	net := newNet(t, equal(4), nil)
	steps(t, net, 2)
	good, err := net.Propose()
	require.NoError(t, err)
	good[0][20] ^= 1
	_, err = net.Block(good...) // on the first node alone
	require.NoError(t, err)
	_, err = keeper.NewQueryServer(net.App.Anchors).LatestAnchor(net.Context(), nil)
	require.ErrorIs(t, err, anchorstypes.ErrNoAnchor)
}

// Nobody signs for 50 blocks: the chain goes on, gives up anchor after anchor, never twice under one nonce, and takes the next one
// that is signed.
func TestNoSignaturesForLong(t *testing.T) {
	net := newNet(t, equal(4), func(p *anchorstypes.Params) { p.AnchorTimeoutBlocks, p.IntervalBlocks = 10, 10 })
	net.Vote = func(*apptest.Validator, []byte) apptest.Cast { return apptest.Cast{} }
	nonces := make(map[uint64][32]byte)
	for range 50 {
		steps(t, net, 1)
		open := ballot(t, net)
		if hash, seen := nonces[open.Anchor.Nonce]; seen {
			require.Equal(t, hash, open.Anchor.StructHash())
		}
		nonces[open.Anchor.Nonce] = open.Anchor.StructHash()
	}
	require.Len(t, nonces, 5)
	net.Vote = nil
	steps(t, net, 3)
	require.EqualValues(t, 6, latest(t, net).Anchor.Nonce)
}

// Two thirds of the power are not enough; one unit above is.
func TestQuorumByOne(t *testing.T) {
	for _, c := range []struct {
		powers []int64
		enough bool
	}{{[]int64{200, 100}, false}, {[]int64{201, 100}, true}, {[]int64{199, 100}, false}} {
		net := newNet(t, c.powers, nil)
		net.Vote = func(v *apptest.Validator, honest []byte) apptest.Cast {
			if v == net.Validators[1] {
				return apptest.Cast{}
			}
			return apptest.Cast{Extension: honest}
		}
		steps(t, net, 4)
		_, err := keeper.NewQueryServer(net.App.Anchors).LatestAnchor(net.Context(), nil)
		require.Equal(t, c.enough, err == nil, c.powers)
	}
}

// A new key counts from the next anchor's set on; the old one signs the anchor that names it. No honest vote is refused meanwhile.
func TestKeyRotation(t *testing.T) {
	net := newNet(t, equal(4), nil)
	steps(t, net, 3)
	before := latest(t, net)
	v := net.Validators[1]
	fresh, err := apptest.ReceiptKey("fresh")
	require.NoError(t, err)
	address := receipt.KeyAddress(fresh)
	proof := receipt.Sign(fresh, anchor.KeyProofDigest(apptest.ChainID, v.ValAddress().String()))
	deliver(t, net, v.Account, &anchorstypes.MsgRegisterAnchorKey{Validator: v.ValAddress().String(), Address: address[:], Proof: proof[:]})

	open := ballot(t, net)
	require.EqualValues(t, 2, open.Anchor.Nonce, "a change of membership is due at once")
	require.Negative(t, open.Signers.Index(address))
	steps(t, net, 2)
	changing := latest(t, net)
	require.EqualValues(t, 2, changing.Anchor.Nonce)
	require.Len(t, changing.Signatures, 4, "with the old key")
	require.True(t, changing.ChangesSet)
	require.Equal(t, before.Anchor.NextValset, changing.SignersHash)
	requireContractTakes(t, net, changing)

	v.AnchorKey = fresh
	named, err := net.App.Anchors.Valset(net.Context(), changing.Anchor.NextValset)
	require.NoError(t, err)
	require.GreaterOrEqual(t, named.Index(address), 0)
}

func deliver(t *testing.T, net *apptest.Net, from *apptest.Account, msgs ...sdk.Msg) {
	t.Helper()
	tx, err := net.Sign(from, msgs...)
	require.NoError(t, err)
	response, err := net.Step(tx)
	require.NoError(t, err)
	result := response.TxResults[len(response.TxResults)-1]
	require.Zero(t, result.Code, result.Log)
}

// A validator that leaves is still in the set that signs the anchor which names the set without it.
func TestValidatorLeaves(t *testing.T) {
	net := newNet(t, []int64{1_000, 1_000, 1_000, 900}, nil)
	steps(t, net, 3)
	leaver := net.Validators[3]
	all := sdk.NewCoin(app.BondDenom, sdk.TokensFromConsensusPower(900, sdk.DefaultPowerReduction))
	deliver(t, net, leaver.Account, stakingtypes.NewMsgUndelegate(leaver.String(), leaver.ValAddress().String(), all))
	require.EqualValues(t, 2, ballot(t, net).Anchor.Nonce)
	steps(t, net, 3)
	require.Zero(t, net.Power(leaver))
	attested := latest(t, net)
	require.EqualValues(t, 2, attested.Anchor.Nonce)
	requireContractTakes(t, net, attested)
	set, err := net.App.Anchors.Valset(net.Context(), attested.Anchor.NextValset)
	require.NoError(t, err)
	require.Len(t, set, 3)
	steps(t, net, 5)
}

// A large newcomer does not lock out the set that names it, and from the next anchor on nothing works without it.
func TestLargeNewcomer(t *testing.T) {
	net := newNet(t, []int64{1_000, 1_000, 1_000, 1}, nil)
	steps(t, net, 3)
	small := net.Validators[3]
	rich := net.Validators[0]
	deliver(t, net, rich.Account, stakingtypes.NewMsgDelegate(rich.String(), small.ValAddress().String(),
		sdk.NewCoin(app.BondDenom, sdk.TokensFromConsensusPower(900, sdk.DefaultPowerReduction))))
	steps(t, net, 2)
	attested := latest(t, net)
	require.EqualValues(t, 2, attested.Anchor.Nonce, "more than 5 % of the power moved")
	requireContractTakes(t, net, attested)
	set, err := net.App.Anchors.Valset(net.Context(), attested.Anchor.NextValset)
	require.NoError(t, err)
	require.EqualValues(t, 901, set[set.Index(receipt.KeyAddress(small.AnchorKey))].Power)
}

// Whoever signs what the chain never said loses stake and its place for good, also through a transaction.
func TestFalseAnchorIsSlashed(t *testing.T) {
	net := newNet(t, equal(4), nil)
	steps(t, net, 3)
	liar, reporter := net.Validators[2], net.Validators[0]
	origin, err := net.App.Anchors.Origin(net.Context())
	require.NoError(t, err)
	truth := latest(t, net).Anchor
	lie := truth
	lie.TreeSize += 7
	statement, err := lie.Domain()
	require.NoError(t, err)
	signature := receipt.Sign(liar.AnchorKey, anchor.NewDomain(origin).Digest(statement))
	deliver(t, net, reporter.Account, &anchorstypes.MsgSubmitAnchorEvidence{
		Submitter: reporter.String(), First: lie, FirstSignature: signature[:],
	})
	ctx := net.Context()
	validator, err := net.App.Staking.GetValidator(ctx, liar.ValAddress())
	require.NoError(t, err)
	require.True(t, validator.Jailed)
	require.Equal(t, sdkmath.NewInt(950_000_000), validator.Tokens, "5 %")
	require.True(t, net.App.Slashing.IsTombstoned(ctx, liar.ConsAddress()))
	steps(t, net, 5)
	require.Zero(t, net.Power(liar))
	set, err := net.App.Anchors.Valset(net.Context(), latest(t, net).Anchor.NextValset)
	require.NoError(t, err)
	require.Len(t, set, 3)
}

// A validator that signs too few anchors is jailed, the chain and its anchors go on, and it may come back.
func TestMissedAnchorsJail(t *testing.T) {
	net := newNet(t, equal(4), func(p *anchorstypes.Params) {
		p.IntervalBlocks, p.AnchorTimeoutBlocks, p.TrustingPeriodSeconds = 3, 3, 60 // a third of 60 s is 4 blocks
		p.SignedWindow, p.MinSigned, p.JailSeconds = 4, 3, 30
	})
	lazy := net.Validators[3]
	net.Vote = func(v *apptest.Validator, honest []byte) apptest.Cast {
		if v == lazy {
			return apptest.Cast{}
		}
		return apptest.Cast{Extension: honest}
	}
	for net.Power(lazy) > 0 {
		steps(t, net, 1)
		require.Less(t, net.Height(), uint64(30), "not jailed")
	}
	validator, err := net.App.Staking.GetValidator(net.Context(), lazy.ValAddress())
	require.NoError(t, err)
	require.True(t, validator.Jailed)
	require.Equal(t, sdkmath.NewInt(1_000_000_000), validator.Tokens, "a missed anchor costs no stake")

	net.Vote = nil
	steps(t, net, 8)
	deliver(t, net, lazy.Account, slashingtypes.NewMsgUnjail(lazy.ValAddress().String()))
	steps(t, net, 8)
	require.Positive(t, net.Power(lazy))
	require.Len(t, latest(t, net).Signatures, 4)
}

// A late signature that arrives before the time is over counts, although the anchor is attested without it.
func TestLateSignatureCounts(t *testing.T) {
	net := newNet(t, equal(4), func(p *anchorstypes.Params) {
		p.IntervalBlocks, p.AnchorTimeoutBlocks, p.TrustingPeriodSeconds = 4, 4, 60
		p.SignedWindow, p.MinSigned = 4, 4
	})
	slow := net.Validators[3]
	var opened uint64
	net.Vote = func(v *apptest.Validator, honest []byte) apptest.Cast {
		if v == slow && len(honest) > 0 && net.Height() < opened+1 {
			return apptest.Cast{}
		}
		return apptest.Cast{Extension: honest}
	}
	for range 25 {
		if open := ballot(t, net); open != nil {
			opened = open.Anchor.Height
		}
		steps(t, net, 1)
	}
	require.Greater(t, latest(t, net).Anchor.Nonce, uint64(4))
	require.Positive(t, net.Power(slow), "a signature one block late is no miss")
}

// A node signs with the key file of its settings, and never two anchors of one nonce, not even after a restart.
func TestExtendVoteWithKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "anchor_key")
	address, err := signer.NewKeyFile(file)
	require.NoError(t, err)
	chain, err := apptest.New(apptest.Options{
		Settings: apptest.Settings{"anchor.key_file": file},
		Patch: func(a *app.App, state app.GenesisState) error {
			return apptest.Edit(a.Encoding().Codec, state, anchorstypes.ModuleName, &anchorstypes.GenesisState{}, func(gs *anchorstypes.GenesisState) error {
				validator := sdk.ValAddress(apptest.NewAccount("validator").Address).String()
				gs.Keys = []anchorstypes.AnchorKey{{Validator: validator, Address: address[:]}}
				return nil
			})
		},
	})
	require.NoError(t, err)
	vote := &abci.RequestExtendVote{Height: 2}
	extended, err := chain.App.ExtendVote(t.Context(), vote)
	require.NoError(t, err)
	require.Len(t, extended.VoteExtension, 65)
	verified, err := chain.App.VerifyVoteExtension(&abci.RequestVerifyVoteExtension{Height: 2, VoteExtension: extended.VoteExtension})
	require.NoError(t, err)
	require.Equal(t, abci.ResponseVerifyVoteExtension_ACCEPT, verified.Status)

	again, err := chain.App.ExtendVote(t.Context(), vote)
	require.NoError(t, err)
	require.Equal(t, extended.VoteExtension, again.VoteExtension, "another round of the same height")

	// Another key of the same file's owner has signed a later nonce on this chain: this node votes, but signs nothing.
	open, err := chain.App.Anchors.Ballot(chain.Context())
	require.NoError(t, err)
	key, err := signer.Open(file)
	require.NoError(t, err)
	later := open.Anchor
	later.Nonce++
	_, err = key.Sign(t.Context(), signer.Request{Origin: open.Origin, Anchor: later})
	require.NoError(t, err)
	_, err = key.Sign(t.Context(), signer.Request{Origin: open.Origin, Anchor: open.Anchor})
	require.ErrorIs(t, err, signer.ErrConflict)
}

// A node whose transactions run in parallel has the same results and hashes as one where they run one by one, although the first entry
// of a block is none.
func TestSignaturesInAParallelExecutor(t *testing.T) {
	for name, settings := range map[string]apptest.Settings{
		"guessing":     {"block-executor": "block-stm", "block-stm-workers": 4, "block-stm-pre-estimate": true},
		"not guessing": {"block-executor": "block-stm", "block-stm-workers": 4, "block-stm-pre-estimate": false},
	} {
		t.Run(name, func(t *testing.T) {
			net, err := apptest.NewNet(apptest.Options{Powers: equal(4), AnchorKeys: true, Settings: settings, Gas: 1_000_000}, 2) // the second node has none
			require.NoError(t, err)
			steps(t, net, 2)
			var txs [][]byte
			for _, v := range net.Validators {
				self := sdk.NewCoin(app.BondDenom, sdkmath.NewInt(1_000_000))
				tx, err := net.Sign(v.Account, stakingtypes.NewMsgDelegate(v.String(), v.ValAddress().String(), self))
				require.NoError(t, err)
				txs = append(txs, tx)
			}
			response, err := net.Step(txs...)
			require.NoError(t, err)
			require.Len(t, response.TxResults, 5)
			require.EqualValues(t, 2, response.TxResults[0].Code)
			for _, result := range response.TxResults[1:] {
				require.Zero(t, result.Code, result.Log)
			}
			require.Len(t, latest(t, net).Signatures, 4)
			steps(t, net, 2)
		})
	}
}

// A remote signer that is not there costs the signature, not the vote.
func TestExtendVoteWithoutRemoteSigner(t *testing.T) {
	chain, err := apptest.New(apptest.Options{
		AnchorKeys: true, Settings: apptest.Settings{"anchor.remote_signer": "unix://" + filepath.Join(t.TempDir(), "none.sock")},
	})
	require.NoError(t, err)
	extended, err := chain.App.ExtendVote(t.Context(), &abci.RequestExtendVote{Height: 2})
	require.NoError(t, err)
	require.Empty(t, extended.VoteExtension)
}

// The origin id is that of the genesis, in whatever spelling its state comes, and of nothing else.
func TestOriginID(t *testing.T) {
	start := time.Date(2026, time.January, 1, 0, 0, 0, 5, time.UTC)
	id := func(chainID string, at time.Time, height int64, state string) [32]byte {
		origin, err := anchorstypes.OriginID(chainID, at, height, []byte(state))
		require.NoError(t, err)
		return origin
	}
	want := id("a", start, 1, `{"a":"<é>","b":[1,18446744073709551615]}`)
	require.Equal(t, want, anchor.OriginID("a", start.Unix(), 5, 1, []byte(`{"a":"<é>","b":[1,18446744073709551615]}`)))
	require.Equal(t, want, id("a", start, 0, " {\n \"b\": [1, 18446744073709551615], \"a\": \"\\u003c\\u00e9>\"}\n"))
	require.NotEqual(t, want, id("b", start, 1, `{"a":"<é>","b":[1,18446744073709551615]}`))
	require.NotEqual(t, want, id("a", start.Add(1), 1, `{"a":"<é>","b":[1,18446744073709551615]}`))
	require.NotEqual(t, want, id("a", start, 2, `{"a":"<é>","b":[1,18446744073709551615]}`))
	require.NotEqual(t, want, id("a", start, 1, `{"a":"<é>","b":[1,18446744073709551614]}`))
	_, err := anchorstypes.OriginID("a", start, 1, []byte("{"))
	require.ErrorIs(t, err, anchorstypes.ErrInvalidGenesis)
}

// An export carries the log and the keys, comes back byte by byte, and starts another chain: its anchors count from one again.
func TestAnchorsAfterExport(t *testing.T) {
	net := newNet(t, equal(4), nil)
	steps(t, net, 4)
	exported, err := net.App.Export(false, nil)
	require.NoError(t, err)
	again, err := apptest.Reexport(exported)
	require.NoError(t, err)
	require.JSONEq(t, string(exported.AppState), string(again))
	require.Equal(t, string(exported.AppState), string(again))

	next, err := net.Continue(exported.AppState)
	require.NoError(t, err)
	_, err = next.Block()
	require.NoError(t, err)
	before, err := net.App.Anchors.Origin(net.Context())
	require.NoError(t, err)
	after, err := next.App.Anchors.Origin(next.Context())
	require.NoError(t, err)
	require.NotEqual(t, before, after)
	open, err := next.App.Anchors.Ballot(next.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, open.Anchor.Nonce)
	require.Len(t, open.Signers, 4)
}

// A state from before anchors had parameters goes on: every parameter has its default.
func TestParamsOfAnOldState(t *testing.T) {
	net, err := apptest.NewNet(apptest.Options{
		Powers: equal(1), AnchorKeys: true,
		Patch: func(_ *app.App, state app.GenesisState) error {
			var old map[string]json.RawMessage
			if err := json.Unmarshal(state[anchorstypes.ModuleName], &old); err != nil {
				return err
			}
			delete(old, "pruned")
			old["params"] = json.RawMessage(`{"retention_leaves":"65536"}`)
			raw, err := json.Marshal(old)
			state[anchorstypes.ModuleName] = raw
			return err
		},
	}, 1)
	require.NoError(t, err)
	steps(t, net, 3)
	params, err := net.App.Anchors.Params(net.Context())
	require.NoError(t, err)
	require.Equal(t, anchorstypes.DefaultParams(), params)
	require.EqualValues(t, 1, latest(t, net).Anchor.Nonce)
}
