// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/x/royalties/types"
)

func hash(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func TestCommitHash(t *testing.T) {
	var owner [20]byte
	for i := range owner {
		owner[i] = byte(i)
	}
	got := types.CommitHash(owner, [32]byte(hash(0xaa)), [32]byte(hash(0x55)))
	// printf GCC1 followed by the 84 bytes, through sha256sum
	require.Equal(t, "7a369867c9d4390d102c466f6e7f24ccb06a3e1796c796bff88f5e8f5acb0822", hex.EncodeToString(got[:]))
}

func validAdapter() *types.MsgRegisterAsset {
	return &types.MsgRegisterAsset{
		Owner:          "owner",
		AssetId:        hash(1),
		Salt:           hash(0),
		Kind:           types.AssetKind_ASSET_KIND_ADAPTER,
		Base:           hash(2),
		Parents:        [][]byte{hash(3), hash(4), hash(5), hash(6)},
		ManifestUri:    "ipfs://manifest",
		ManifestSha256: hash(7),
		License:        "Apache-2.0 WITH LLVM-exception",
		CommercialUse:  true,
		RoyaltyBps:     1_000,
		Payees:         []types.Payee{{Address: "a", Bps: 9_999}, {Address: "b", Bps: 1}},
		Name:           "Sprachmodell für Ärzte",
	}
}

func TestMsgRegisterAssetValidateBasic(t *testing.T) {
	require.NoError(t, validAdapter().ValidateBasic())
	type msg = types.MsgRegisterAsset
	for name, c := range map[string]struct {
		spoil func(*msg)
		want  error
	}{
		"short id":              {func(m *msg) { m.AssetId = m.AssetId[:31] }, types.ErrInvalidHash},
		"zero id":               {func(m *msg) { m.AssetId = hash(0) }, types.ErrInvalidHash},
		"long salt":             {func(m *msg) { m.Salt = append(m.Salt, 1) }, types.ErrInvalidHash},
		"no kind":               {func(m *msg) { m.Kind = 0 }, types.ErrWrongKind},
		"unknown kind":          {func(m *msg) { m.Kind = 3 }, types.ErrWrongKind},
		"base with base":        {func(m *msg) { m.Kind, m.Parents = types.AssetKind_ASSET_KIND_BASE, nil }, types.ErrWrongBase},
		"base with parents":     {func(m *msg) { m.Kind, m.Base = types.AssetKind_ASSET_KIND_BASE, nil }, types.ErrBadParents},
		"adapter without base":  {func(m *msg) { m.Base = nil }, types.ErrInvalidHash},
		"its own base":          {func(m *msg) { m.Base = m.AssetId }, types.ErrWrongBase},
		"five parents":          {func(m *msg) { m.Parents = append(m.Parents, hash(8)) }, types.ErrBadParents},
		"short parent":          {func(m *msg) { m.Parents[2] = []byte{1} }, types.ErrInvalidHash},
		"parent twice":          {func(m *msg) { m.Parents[3] = hash(3) }, types.ErrBadParents},
		"its own parent":        {func(m *msg) { m.Parents[0] = m.AssetId }, types.ErrBadParents},
		"base as parent":        {func(m *msg) { m.Parents[0] = m.Base }, types.ErrBadParents},
		"long uri":              {func(m *msg) { m.ManifestUri = strings.Repeat("u", 257) }, types.ErrInvalidText},
		"no manifest hash":      {func(m *msg) { m.ManifestSha256 = nil }, types.ErrInvalidHash},
		"no licence":            {func(m *msg) { m.License = "" }, types.ErrInvalidText},
		"long licence":          {func(m *msg) { m.License = strings.Repeat("L", 65) }, types.ErrInvalidText},
		"licence is no SPDX":    {func(m *msg) { m.License = "MIT; DROP" }, types.ErrInvalidText},
		"licence is not ASCII":  {func(m *msg) { m.License = "Ärzte" }, types.ErrInvalidText},
		"no name":               {func(m *msg) { m.Name = "" }, types.ErrInvalidText},
		"long name":             {func(m *msg) { m.Name = strings.Repeat("n", 65) }, types.ErrInvalidText},
		"name with newline":     {func(m *msg) { m.Name = "a\nb" }, types.ErrInvalidText},
		"name is not UTF-8":     {func(m *msg) { m.Name = "a\xff" }, types.ErrInvalidText},
		"royalty above whole":   {func(m *msg) { m.RoyaltyBps = 10_001 }, types.ErrBadTerms},
		"royalty for nobody":    {func(m *msg) { m.Payees = nil }, types.ErrBadTerms},
		"payees below whole":    {func(m *msg) { m.Payees[0].Bps-- }, types.ErrBadTerms},
		"payees above whole":    {func(m *msg) { m.Payees[0].Bps++ }, types.ErrBadTerms},
		"payee without bps":     {func(m *msg) { m.Payees[0].Bps, m.Payees[1].Bps = 10_000, 0 }, types.ErrBadTerms},
		"payee without address": {func(m *msg) { m.Payees[1].Address = "" }, types.ErrBadTerms},
		"bps that wrap": {
			func(m *msg) { m.Payees[0].Bps, m.Payees[1].Bps = 1<<64-1, 10_001 },
			types.ErrBadTerms,
		},
		"too many payees": {
			func(m *msg) { m.Payees = append(m.Payees, make([]types.Payee, 15)...) },
			types.ErrBadTerms,
		},
		"free, but payees do not add up": {
			func(m *msg) { m.RoyaltyBps, m.Payees = 0, m.Payees[:1] },
			types.ErrBadTerms,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := validAdapter()
			c.spoil(m)
			require.ErrorIs(t, m.ValidateBasic(), c.want)
		})
	}
}

func TestMsgRegisterAssetMayBeBare(t *testing.T) {
	m := validAdapter()
	m.Kind, m.Base, m.Parents = types.AssetKind_ASSET_KIND_BASE, nil, nil
	m.ManifestUri, m.RoyaltyBps, m.Payees, m.CommercialUse = "", 0, nil, false
	require.NoError(t, m.ValidateBasic())
}

func TestOtherMessagesValidateBasic(t *testing.T) {
	whole := []types.Payee{{Address: "a", Bps: 10_000}}
	bad := types.DefaultParams()
	bad.MaxPayees = 0
	for name, c := range map[string]struct {
		msg  interface{ ValidateBasic() error }
		want error
	}{
		"commit":             {&types.MsgCommitAsset{Hash: hash(0)}, nil},
		"commit of 31 bytes": {&types.MsgCommitAsset{Hash: hash(0)[:31]}, types.ErrInvalidHash},
		"terms":              {&types.MsgUpdateTerms{AssetId: hash(1), RoyaltyBps: 5, Payees: whole}, nil},
		"terms of nothing":   {&types.MsgUpdateTerms{RoyaltyBps: 5, Payees: whole}, types.ErrInvalidHash},
		"terms for nobody":   {&types.MsgUpdateTerms{AssetId: hash(1), RoyaltyBps: 5}, types.ErrBadTerms},
		"proof":              {&types.MsgProposeAuthorProof{AssetId: hash(1), Uri: "u", Sha256: hash(0)}, nil},
		"proof of nothing":   {&types.MsgProposeAuthorProof{Uri: "u", Sha256: hash(0)}, types.ErrInvalidHash},
		"proof nowhere":      {&types.MsgProposeAuthorProof{AssetId: hash(1), Sha256: hash(0)}, types.ErrInvalidText},
		"proof without hash": {&types.MsgProposeAuthorProof{AssetId: hash(1), Uri: "u"}, types.ErrInvalidHash},
		"decision":           {&types.MsgDecideAuthorProof{AssetId: hash(1)}, nil},
		"decision on zero":   {&types.MsgDecideAuthorProof{AssetId: hash(0)}, types.ErrInvalidHash},
		"take-down":          {&types.MsgTakeDown{AssetId: hash(1)}, nil},
		"take-down of zero":  {&types.MsgTakeDown{AssetId: hash(0)}, types.ErrInvalidHash},
		"params":             {&types.MsgUpdateParams{Params: types.DefaultParams()}, nil},
		"bad params":         {&types.MsgUpdateParams{Params: bad}, types.ErrInvalidParams},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, c.msg.ValidateBasic(), c.want)
		})
	}
}

func TestParamsValidate(t *testing.T) {
	for name, spoil := range map[string]func(*types.Params){
		"reveal in the next block": func(p *types.Params) { p.RevealBlocks = 1 },
		"expiry before reveal":     func(p *types.Params) { p.CommitExpiryBlocks = p.RevealBlocks },
		"expiry never":             func(p *types.Params) { p.CommitExpiryBlocks = 2_628_001 },
		"no commits removed":       func(p *types.Params) { p.MaxCommitsPerBlock = 0 },
		"too many removed":         func(p *types.Params) { p.MaxCommitsPerBlock = 1_001 },
		"no objections":            func(p *types.Params) { p.ObjectionBlocks = 0 },
		"objections for ever":      func(p *types.Params) { p.ObjectionBlocks = 2_628_001 },
		"claims of nothing":        func(p *types.Params) { p.MinClaimUusdc = 0 },
		"cap above the whole":      func(p *types.Params) { p.RoyaltyCapBps = 10_001 },
		"no payees":                func(p *types.Params) { p.MaxPayees = 0 },
		"too many payees":          func(p *types.Params) { p.MaxPayees = 17 },
	} {
		t.Run(name, func(t *testing.T) {
			params := types.DefaultParams()
			require.NoError(t, params.Validate())
			spoil(&params)
			require.ErrorIs(t, params.Validate(), types.ErrInvalidParams)
		})
	}
}
