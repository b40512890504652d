// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/anchors/types"
)

var genesisTime = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// newAnchored has n validators v0, v1, ... of power 100 with anchor keys, an origin, and an empty log.
func newAnchored(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixture(t)
	f.at(5)
	require.NoError(t, f.k.SetOrigin(f.ctx, [32]byte{7}))
	for i := range n {
		f.staking.bond(fmt.Sprintf("v%d", i), 100)
		f.register(t, fmt.Sprintf("v%d", i), keyOf(fmt.Sprintf("v%d", i)))
	}
	return f
}

// at moves the fixture to a height; blocks take 6 s.
func (f *fixture) at(height int64) {
	f.ctx = f.ctx.WithBlockHeight(height).WithBlockTime(genesisTime.Add(time.Duration(height) * 6 * time.Second)).WithChainID("test-1")
}

func keyOf(name string) *receipt.PrivateKey {
	seed := sha256.Sum256([]byte("anchor key of " + name))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

func registration(name string, key *receipt.PrivateKey) *types.MsgRegisterAnchorKey {
	address := receipt.KeyAddress(key)
	proof := receipt.Sign(key, anchor.KeyProofDigest("test-1", valoper(name)))
	return &types.MsgRegisterAnchorKey{Validator: valoper(name), Address: address[:], Proof: proof[:]}
}

func (f *fixture) register(t *testing.T, name string, key *receipt.PrivateKey) {
	t.Helper()
	_, err := f.msgs.RegisterAnchorKey(f.ctx, registration(name, key))
	require.NoError(t, err)
}

// sign puts the signatures of these keys on chain, as a block does.
func (f *fixture) sign(t *testing.T, keys ...*receipt.PrivateKey) {
	t.Helper()
	ballot := f.ballot(t)
	var candidates [][]byte
	for _, key := range keys {
		signature := receipt.Sign(key, ballot.Digest)
		candidates = append(candidates, signature[:])
	}
	envelope, err := f.k.Envelope(f.ctx, candidates, 1<<20)
	require.NoError(t, err)
	if envelope != nil {
		f.k.Collect(f.ctx, envelope)
	}
}

func (f *fixture) ballot(t *testing.T) *types.Ballot {
	t.Helper()
	ballot, err := f.k.Ballot(f.ctx)
	require.NoError(t, err)
	require.NotNil(t, ballot)
	return ballot
}

// attest runs the block at height with the signatures of v0 to v(n-1), and checks that it attests nonce.
func (f *fixture) attest(t *testing.T, height int64, nonce uint64, names ...string) types.AttestedAnchor {
	t.Helper()
	f.at(height)
	for _, name := range names {
		f.sign(t, keyOf(name))
	}
	f.end(t)
	attested, err := f.k.Attested(f.ctx, nonce)
	require.NoError(t, err)
	return attested
}

// end ends the block and checks the state.
func (f *fixture) end(t *testing.T) {
	t.Helper()
	f.k.EndBlock(f.ctx)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
}

func (f *fixture) pending(t *testing.T) *types.QueryPendingResponse {
	t.Helper()
	pending, err := f.query.Pending(f.ctx, nil)
	require.NoError(t, err)
	return pending
}

var four = []string{"v0", "v1", "v2", "v3"}

func TestNoAnchorWithoutKeysOrOrigin(t *testing.T) {
	f := newFixture(t)
	f.at(5)
	f.staking.bond("v0", 200)
	f.staking.bond("v1", 100)
	f.end(t)
	require.Contains(t, f.pending(t).Reason, "origin")
	require.NoError(t, f.k.SetOrigin(f.ctx, [32]byte{7}))
	f.register(t, "v0", keyOf("v0"))
	f.end(t)
	pending := f.pending(t)
	require.Nil(t, pending.Anchor, "two thirds are not more than two thirds")
	require.Contains(t, pending.Reason, "two thirds")
	require.EqualValues(t, 200, pending.KeyedPower)
	require.EqualValues(t, 300, pending.BondedPower)
	f.staking.bond("v0", 201)
	f.end(t)
	require.NotNil(t, f.pending(t).Anchor)
}

// An anchor is due after the interval if the log grew, after a third of the trusting period anyway, and not otherwise.
func TestWhenAnchorsAreDue(t *testing.T) {
	f := newAnchored(t, 4)
	f.end(t)
	first := f.attest(t, 6, 1, four...)
	require.Equal(t, first.SignersHash, first.Anchor.NextValset)

	f.at(5 + 600)
	f.end(t)
	require.Contains(t, f.pending(t).Reason, "none is due", "the log has not grown")
	f.append(t, 0, 1)
	f.at(5 + 599)
	f.end(t)
	require.Contains(t, f.pending(t).Reason, "none is due", "the interval is not over")
	f.at(5 + 600)
	f.end(t)
	second := f.attest(t, 607, 2, four...)
	require.EqualValues(t, 1, second.Anchor.TreeSize)
	require.EqualValues(t, 605, second.Anchor.Height)
	require.False(t, second.ChangesSet)

	third := int64(14*86_400/3/6) + 605
	f.at(third - 1)
	f.end(t)
	require.Contains(t, f.pending(t).Reason, "none is due")
	f.at(third)
	f.end(t)
	require.EqualValues(t, 3, f.ballot(t).Anchor.Nonce)
}

// A change of less than 5 % of the power changes no set; 5 % does, and the anchor that names the new one is signed by the old one.
func TestSetChanges(t *testing.T) {
	f := newAnchored(t, 4)
	f.end(t)
	first := f.attest(t, 6, 1, four...)
	f.staking.bond("v0", 119)
	f.at(7)
	f.end(t)
	require.Contains(t, f.pending(t).Reason, "none is due")
	f.staking.bond("v0", 120)
	f.at(8)
	f.end(t)
	changing := f.attest(t, 9, 2, four...)
	require.True(t, changing.ChangesSet)
	require.Equal(t, first.Anchor.NextValset, changing.SignersHash)
	require.NotEqual(t, changing.SignersHash, changing.Anchor.NextValset)

	// A contract with the first set takes the anchor that names the second, and nothing beyond.
	f.staking.bond("v3", 0)
	f.at(10)
	f.end(t)
	f.attest(t, 11, 3, four[:3]...)
	next := f.submittable(t, first.SignersHash, 0)
	require.EqualValues(t, 2, next.Anchor.Nonce)
	next = f.submittable(t, changing.Anchor.NextValset, 2)
	require.EqualValues(t, 3, next.Anchor.Nonce)
	_, err := f.query.NextSubmittable(f.ctx, &types.QueryNextSubmittableRequest{Valset: fmt.Sprintf("%x", first.SignersHash), Nonce: 2})
	require.ErrorIs(t, err, types.ErrNoAnchor)
}

// Small validators who come and go can not make an anchor due every few blocks, each of which every contract would have to take; and
// they can not spare those who never sign, whom only an anchor that is not cut short charges.
func TestSmallChangesWait(t *testing.T) {
	f := newAnchored(t, 4)
	for _, name := range []string{"s0", "s1"} {
		f.staking.bond(name, 0)
		f.register(t, name, keyOf(name))
	}
	f.staking.bond("s0", 2)
	f.end(t)
	first := f.attest(t, 6, 1, "v0", "v1", "v2", "s0")
	for height := int64(7); height < 105; height++ {
		f.staking.bond(fmt.Sprintf("s%d", height%2), 0)
		f.staking.bond(fmt.Sprintf("s%d", (height+1)%2), 2)
		f.at(height)
		f.end(t)
		require.EqualValues(t, 1, f.ballot(t).Anchor.Nonce, "height %d", height)
	}
	f.staking.bond("s0", 0)
	f.staking.bond("s1", 2)
	f.at(105)
	f.end(t)
	require.EqualValues(t, 2, f.ballot(t).Anchor.Nonce)
	key, err := f.query.AnchorKey(f.ctx, &types.QueryAnchorKeyRequest{Validator: valoper("v3")})
	require.NoError(t, err)
	require.EqualValues(t, 1, key.Missed)
	second := f.attest(t, 106, 2, four...)
	require.True(t, second.ChangesSet)
	require.Equal(t, first.Anchor.NextValset, second.SignersHash)
	require.NotEqual(t, first.Anchor.NextValset, second.Anchor.NextValset)

	f.staking.bond("s0", 21) // 21 of 402 come: 5 % and more wait for nothing
	f.at(107)
	f.end(t)
	require.EqualValues(t, 3, f.ballot(t).Anchor.Nonce)
}

func (f *fixture) submittable(t *testing.T, valset []byte, nonce uint64) types.AttestedAnchor {
	t.Helper()
	response, err := f.query.NextSubmittable(f.ctx, &types.QueryNextSubmittableRequest{Valset: fmt.Sprintf("%x", valset), Nonce: nonce})
	require.NoError(t, err)
	require.Equal(t, valset, response.Anchor.SignersHash)
	set, err := response.Signers.Domain()
	require.NoError(t, err)
	hash := set.Hash()
	require.Equal(t, valset, hash[:])
	return response.Anchor
}

// More than a third of the signers' set is gone: nothing can be attested until the trusting period is over; then an era begins.
func TestNewEra(t *testing.T) {
	f := newAnchored(t, 4)
	f.end(t)
	f.attest(t, 6, 1, four...)
	for i := 4; i < 8; i++ {
		f.staking.bond(fmt.Sprintf("v%d", i), 100)
		f.register(t, fmt.Sprintf("v%d", i), keyOf(fmt.Sprintf("v%d", i)))
	}
	for _, name := range four {
		f.staking.bond(name, 0)
	}
	f.at(7)
	f.end(t)
	f.at(8)
	f.sign(t, keyOf("v0"), keyOf("v1")) // two that stay loyal: not enough
	f.end(t)
	_, err := f.k.Attested(f.ctx, 2)
	require.ErrorIs(t, err, types.ErrNoAnchor)

	over := int64(14*86_400/6) + 5
	f.at(over - 1)
	f.end(t) // gives up and asks the old set again
	require.GreaterOrEqual(t, f.ballot(t).Signers.Index(receipt.KeyAddress(keyOf("v0"))), 0)
	f.at(over + 200)
	f.end(t)
	require.Negative(t, f.ballot(t).Signers.Index(receipt.KeyAddress(keyOf("v0"))))
	nonce := f.ballot(t).Anchor.Nonce
	era := f.attest(t, over+201, nonce, "v4", "v5", "v6")
	require.EqualValues(t, 2, era.Era)
	require.True(t, era.ChangesSet)
}

// The quorum counts by the powers of now as well: a member that lost its stake since can not carry an anchor.
func TestQuorumByPowerOfNow(t *testing.T) {
	f := newAnchored(t, 3)
	f.staking.bond("v0", 1_000)
	f.end(t)
	f.staking.bond("v0", 100)
	f.at(6)
	f.sign(t, keyOf("v0"))
	f.end(t)
	_, err := f.k.Attested(f.ctx, 1)
	require.ErrorIs(t, err, types.ErrNoAnchor, "1000 of 1200 then, 100 of 300 now")
	f.sign(t, keyOf("v1"), keyOf("v2"))
	f.end(t)
	_, err = f.k.Attested(f.ctx, 1)
	require.NoError(t, err)
}

func TestRegisterKeyRefuses(t *testing.T) {
	f := newAnchored(t, 2)
	before := f.export(t)
	stolen := registration("v0", keyOf("new"))
	stolen.Proof = registration("v1", keyOf("new")).Proof
	unknown := registration("nobody", keyOf("new"))
	for name, c := range map[string]struct {
		msg  *types.MsgRegisterAnchorKey
		want error
	}{
		"proof for another validator": {stolen, types.ErrBadProof},
		"no such validator":           {unknown, types.ErrUnknownValidator},
		"key of another":              {registration("v0", keyOf("v1")), types.ErrKeyTaken},
		"own key again":               {registration("v0", keyOf("v0")), types.ErrKeyTaken},
		"too soon":                    {registration("v0", keyOf("new")), types.ErrKeyTooYoung},
		"short address":               {&types.MsgRegisterAnchorKey{Validator: valoper("v0"), Address: make([]byte, 19), Proof: make([]byte, 65)}, types.ErrInvalidMessage},
		"zero address":                {&types.MsgRegisterAnchorKey{Validator: valoper("v0"), Address: make([]byte, 20), Proof: make([]byte, 65)}, types.ErrInvalidMessage},
		"short proof":                 {&types.MsgRegisterAnchorKey{Validator: valoper("v0"), Address: stolen.Address, Proof: make([]byte, 64)}, types.ErrInvalidMessage},
		"account address":             {&types.MsgRegisterAnchorKey{Validator: addr("v0"), Address: stolen.Address, Proof: stolen.Proof}, types.ErrInvalidMessage},
	} {
		_, err := f.msgs.RegisterAnchorKey(f.ctx, c.msg)
		require.ErrorIs(t, err, c.want, name)
	}
	require.Equal(t, before, f.export(t))

	f.at(5 + 600)
	f.register(t, "v0", keyOf("new"))
	key, err := f.query.AnchorKey(f.ctx, &types.QueryAnchorKeyRequest{Validator: valoper("v0")})
	require.NoError(t, err)
	address := receipt.KeyAddress(keyOf("new"))
	require.Equal(t, address[:], key.Key.Address)
	_, err = f.msgs.RegisterAnchorKey(f.ctx, registration("v1", keyOf("v0")))
	require.ErrorIs(t, err, types.ErrKeyTaken, "a replaced key is never free again")
	keys, err := f.query.AnchorKeys(f.ctx, &types.QueryAnchorKeysRequest{Pagination: &query.PageRequest{Limit: 2}})
	require.NoError(t, err)
	require.Len(t, keys.Keys, 2)
	require.NoError(t, f.k.CheckInvariants(f.ctx))
	_, err = f.query.AnchorKey(f.ctx, &types.QueryAnchorKeyRequest{Validator: valoper("v9")})
	require.ErrorIs(t, err, types.ErrNoKey)
	_, err = f.query.Valset(f.ctx, &types.QueryValsetRequest{Hash: strings.Repeat("A", 64)})
	require.ErrorIs(t, err, types.ErrInvalidRequest)
}

// Old anchors go: those that change nothing by number, those that change the set after the unbonding time, with their sets.
func TestAnchorsArePruned(t *testing.T) {
	f := newAnchored(t, 4)
	params := types.DefaultParams()
	params.KeepAnchors, params.IntervalBlocks, params.AnchorTimeoutBlocks = 16, 2, 2
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	height, nonce := int64(5), uint64(0)
	anchorOnce := func() types.AttestedAnchor {
		f.append(t, nonce, 1)
		height, nonce = height+2, nonce+1
		f.at(height)
		f.end(t)
		return f.attest(t, height+1, nonce, four...)
	}
	first := anchorOnce()
	for range 24 {
		anchorOnce()
	}
	_, err = f.k.Attested(f.ctx, 2)
	require.ErrorIs(t, err, types.ErrNoAnchor)
	_, err = f.k.Attested(f.ctx, 1)
	require.NoError(t, err, "it opened the era")
	f.staking.bond("v0", 300)
	changing := anchorOnce()
	require.True(t, changing.ChangesSet)
	for range 20 {
		anchorOnce()
	}
	f.staking.unbonding = time.Minute // has passed for all of them
	for range 20 {
		anchorOnce()
	}
	_, err = f.k.Attested(f.ctx, 1)
	require.ErrorIs(t, err, types.ErrNoAnchor)
	_, err = f.k.Valset(f.ctx, first.SignersHash)
	require.ErrorIs(t, err, types.ErrNoValset)
	_, err = f.k.Valset(f.ctx, changing.Anchor.NextValset)
	require.NoError(t, err)
	page, err := f.query.Anchors(f.ctx, &types.QueryAnchorsRequest{Pagination: &query.PageRequest{Reverse: true, Limit: 200}})
	require.NoError(t, err)
	require.Len(t, page.Anchors, 16)
	require.Equal(t, nonce, page.Anchors[0].Anchor.Nonce)
}
