// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestOperatorQuery(t *testing.T) {
	f := busy(t)
	resp, err := f.query.Operator(f.ctx, &types.QueryOperatorRequest{Address: addr("alice")})
	require.NoError(t, err)
	require.Equal(t, f.get(t, "alice"), resp.Operator)
	require.EqualValues(t, 100_000, resp.CoverUusdc)
	require.True(t, resp.MayWork)
	require.Equal(t, types.OperatorCapacity{TokensPerSecond: 30_000, Gpus: 3}, resp.Capacity)

	bob, err := f.query.Operator(f.ctx, &types.QueryOperatorRequest{Address: addr("bob")})
	require.NoError(t, err)
	require.False(t, bob.MayWork, "unbonding took the bond below the least")
	_, err = f.query.Operator(f.ctx, &types.QueryOperatorRequest{Address: addr("carol")})
	require.ErrorIs(t, err, types.ErrUnknownOperator)
	_, err = f.query.Operator(f.ctx, &types.QueryOperatorRequest{Address: "x"})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
}

func TestListsArePaged(t *testing.T) {
	f := busy(t)
	var seen []string
	var next []byte
	for range 2 {
		resp, err := f.query.Operators(f.ctx, &types.QueryOperatorsRequest{Pagination: &query.PageRequest{Limit: 1, Key: next}})
		require.NoError(t, err)
		require.Len(t, resp.Operators, 1)
		seen, next = append(seen, resp.Operators[0].Address), resp.Pagination.NextKey
	}
	require.ElementsMatch(t, []string{addr("alice"), addr("bob")}, seen)
	require.Nil(t, next)

	all, err := f.query.Hosts(f.ctx, &types.QueryHostsRequest{})
	require.NoError(t, err)
	require.Len(t, all.Hosts, 3)
	first, err := f.query.Hosts(f.ctx, &types.QueryHostsRequest{Operator: addr("alice"), Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	rest, err := f.query.Hosts(f.ctx, &types.QueryHostsRequest{
		Operator: addr("alice"), Pagination: &query.PageRequest{Limit: 10_000, Key: first.Pagination.NextKey},
	})
	require.NoError(t, err)
	require.Len(t, append(first.Hosts, rest.Hosts...), 2)
	require.NotEqual(t, first.Hosts[0].Id, rest.Hosts[0].Id)
	for _, host := range append(first.Hosts, rest.Hosts...) {
		require.Equal(t, addr("alice"), host.Operator)
	}

	grants, err := f.query.RelayerGrants(f.ctx, &types.QueryRelayerGrantsRequest{Operator: addr("alice")})
	require.NoError(t, err)
	require.Len(t, grants.Grants, 2)
	none, err := f.query.RelayerGrants(f.ctx, &types.QueryRelayerGrantsRequest{Operator: addr("bob")})
	require.NoError(t, err)
	require.Empty(t, none.Grants)

	unbondings, err := f.query.Unbondings(f.ctx, &types.QueryUnbondingsRequest{Operator: addr("bob")})
	require.NoError(t, err)
	require.Len(t, unbondings.Unbondings, 3)
	require.EqualValues(t, 5, unbondings.Unbondings[0].AmountUltai)
}

func TestPageLimitIsCapped(t *testing.T) {
	f := newFixture(t)
	for i := range 201 {
		f.operator(t, fmt.Sprintf("operator %d", i), 0)
	}
	resp, err := f.query.Operators(f.ctx, &types.QueryOperatorsRequest{Pagination: &query.PageRequest{Limit: 1_000, CountTotal: true}})
	require.NoError(t, err)
	require.Len(t, resp.Operators, 200)
	require.NotNil(t, resp.Pagination.NextKey)
	require.Zero(t, resp.Pagination.Total, "the total would walk the whole state")
}

func TestHexParametersHaveOneSpelling(t *testing.T) {
	f := busy(t)
	address := receipt.KeyAddress(key("a"))
	text := hex.EncodeToString(address[:])
	resp, err := f.query.HostKey(f.ctx, &types.QueryHostKeyRequest{Address: text})
	require.NoError(t, err)
	require.Equal(t, address[:], resp.Key.Address)
	for _, wrong := range []string{"", "0x" + text, strings.ToUpper(text), text[2:], text + "00", "zz" + text[2:]} {
		_, err := f.query.HostKey(f.ctx, &types.QueryHostKeyRequest{Address: wrong})
		require.ErrorIs(t, err, types.ErrInvalidRequest, wrong)
		_, err = f.query.Host(f.ctx, &types.QueryHostRequest{HostId: wrong})
		require.ErrorIs(t, err, types.ErrInvalidRequest, wrong)
	}
	_, err = f.query.HostKey(f.ctx, &types.QueryHostKeyRequest{Address: strings.Repeat("00", 20)})
	require.ErrorIs(t, err, types.ErrUnknownHostKey)
	_, err = f.query.NodeLink(f.ctx, &types.QueryNodeLinkRequest{NodeHash: nodeHash, Owner: text})
	require.ErrorIs(t, err, types.ErrUnknownNode)
	_, err = f.query.NodeLink(f.ctx, &types.QueryNodeLinkRequest{NodeHash: nodeHash})
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	_, err = f.query.NodeLink(f.ctx, &types.QueryNodeLinkRequest{NodeHash: "none", Owner: text})
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	_, err = f.query.BlockHash(f.ctx, &types.QueryBlockHashRequest{Height: 9_999})
	require.ErrorIs(t, err, types.ErrNoBlockHash)
}
