// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"encoding/json"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
)

func newPair(t *testing.T) (chain *apptest.Chain, alice, bob *apptest.Account) {
	t.Helper()
	alice = apptest.NewAccount("alice", sdk.NewInt64Coin(app.BondDenom, 1_000), sdk.NewInt64Coin("uusdc", 5))
	bob = apptest.NewAccount("bob")
	chain, err := apptest.New(apptest.Options{
		Accounts: []*apptest.Account{alice, bob}, Fee: sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 10)),
	})
	require.NoError(t, err)
	return chain, alice, bob
}

func send(from, to sdk.AccAddress, uusdc int64) sdk.Msg {
	return banktypes.NewMsgSend(from, to, sdk.NewCoins(sdk.NewInt64Coin("uusdc", uusdc)))
}

// A failed transaction moves nothing but its fee, and the next one of the same account works.
func TestFailedTransactionCostsItsFee(t *testing.T) {
	chain, alice, bob := newPair(t)
	require.NoError(t, chain.Must(alice, send(alice.Address, bob.Address, 3)))
	result, err := chain.Deliver(alice, send(alice.Address, bob.Address, 3))
	require.NoError(t, err)
	require.NotZero(t, result.Code, "alice has two left")
	require.NoError(t, chain.Must(alice, send(alice.Address, bob.Address, 2)))

	ctx := chain.Context()
	require.Equal(t, "970ualeph", chain.App.Bank.GetAllBalances(ctx, alice.Address).String())
	require.Equal(t, "5uusdc", chain.App.Bank.GetAllBalances(ctx, bob.Address).String())
	require.NoError(t, chain.App.CheckInvariants(ctx))
}

// Nobody can put coins where a module's state would not account for them.
func TestModuleAccountsRefuseTransfers(t *testing.T) {
	chain, alice, _ := newPair(t)
	for _, name := range []string{"operators", "insurance", "royalties", "receipts", "probers_pool", "aleph_pool", "rewards", "distribution"} {
		result, err := chain.Deliver(alice, send(alice.Address, authtypes.NewModuleAddress(name), 1))
		require.NoError(t, err)
		require.NotZero(t, result.Code, name)
	}
	require.NoError(t, chain.Must(alice, send(alice.Address, authtypes.NewModuleAddress("gov"), 1)))
}

func TestDefaultGenesis(t *testing.T) {
	chain, _, _ := newPair(t)
	genesis := chain.App.DefaultGenesis()
	encoding := chain.App.Encoding()
	require.NoError(t, chain.App.Basics().ValidateGenesis(encoding.Codec, encoding.TxConfig, genesis))

	raw, err := json.Marshal(genesis)
	require.NoError(t, err)
	require.NotContains(t, string(raw), `"stake"`, "every default amount is in the chain's own denom")
	require.NotContains(t, genesis, "mint")
	for _, name := range []string{"operators", "royalties", "anchors", "receipts", "rewards"} {
		require.Contains(t, genesis, name)
	}
}

func TestConsensusParams(t *testing.T) {
	chain, _, _ := newPair(t)
	params := chain.App.GetConsensusParams(chain.Context())
	require.EqualValues(t, 4<<20, params.Block.MaxBytes)
	require.EqualValues(t, 200_000_000, params.Block.MaxGas)
	require.EqualValues(t, 302_400, params.Evidence.MaxAgeNumBlocks, "21 days of 6 s blocks")
	require.EqualValues(t, 1, params.Abci.VoteExtensionsEnableHeight)
	require.NoError(t, app.DefaultConsensusParams().ValidateBasic())
}

// The application answers for vote extensions from the first height on; otherwise the consensus engine would stop there.
func TestVoteExtensionsFromTheStart(t *testing.T) {
	chain, _, _ := newPair(t)
	height := int64(chain.Height() + 1)
	hash := apptest.BlockHash(uint64(height))
	extended, err := chain.App.ExtendVote(t.Context(), &abci.RequestExtendVote{Height: height, Hash: hash[:]})
	require.NoError(t, err)
	verified, err := chain.App.VerifyVoteExtension(&abci.RequestVerifyVoteExtension{
		Height: height, Hash: hash[:], VoteExtension: extended.VoteExtension,
	})
	require.NoError(t, err)
	require.Equal(t, abci.ResponseVerifyVoteExtension_ACCEPT, verified.Status)
}

// A proposer can not fill a block beyond the gas limit, and a broken transaction does not make the block invalid.
func TestProposalGasLimit(t *testing.T) {
	chain, alice, bob := newPair(t)
	full, err := chain.Sign(alice, send(alice.Address, bob.Address, 1)) // its gas limit is that of the whole block
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		txs  [][]byte
		want abci.ResponseProcessProposal_ProposalStatus
	}{
		{"empty", nil, abci.ResponseProcessProposal_ACCEPT},
		{"full", [][]byte{full}, abci.ResponseProcessProposal_ACCEPT},
		{"garbage", [][]byte{full, []byte("garbage")}, abci.ResponseProcessProposal_ACCEPT},
		{"too full", [][]byte{full, full}, abci.ResponseProcessProposal_REJECT},
	} {
		response, err := chain.App.ProcessProposal(&abci.RequestProcessProposal{
			Txs: c.txs, Height: int64(chain.Height() + 1), Time: chain.NextTime(),
		})
		require.NoError(t, err)
		require.Equal(t, c.want, response.Status, c.name)
	}
}

func TestExportForZeroHeightIsRefused(t *testing.T) {
	chain, _, _ := newPair(t)
	_, err := chain.App.Export(true, nil)
	require.ErrorIs(t, err, app.ErrZeroHeight)
}
