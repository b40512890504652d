// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/gpucoord/gpucoord/app"
	"github.com/gpucoord/gpucoord/app/apptest"
	"github.com/gpucoord/gpucoord/domain/receipt"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// serve lets some hosts serve some jobs in the epoch of the last block; a direct customer goes to the operator it pays.
func (w *walk) serve() {
	outcomes := []receipt.Outcome{
		receipt.OutcomeOK, receipt.OutcomeOK, receipt.OutcomeOK, receipt.OutcomeUserCancel, receipt.OutcomeUserIdle,
		receipt.OutcomeProviderFail, receipt.OutcomeUpstreamFail, receipt.OutcomeRefused,
	}
	adapters := append([][32]byte{{}}, w.Adapters...)
	for _, host := range w.Hosts {
		for range w.rng.IntN(3) {
			payer := pick(w, w.Payers)
			if !payer.Gateway && payer.Settler != host.Operator {
				continue
			}
			job := apptest.Job{
				Model: w.Model, Adapter: pick(w, adapters), Outcome: pick(w, outcomes),
				PromptTokens: w.amount(500), OutputTokens: w.amount(500),
			}
			if job.Outcome == receipt.OutcomeOK {
				job.Amount = w.amount(100_000)
			}
			e := w.epoch()
			record := w.Serve(host, payer, e, job)
			w.served[host][e] = append(w.served[host][e], apptest.Served{Record: record, Settler: payer.Settler})
		}
	}
}

// submitBatch claims what a host has served in an epoch whose submit window is open; sometimes with a fault.
func (w *walk) submitBatch() move {
	host := pick(w, w.Hosts)
	now, err := w.schedule.Of(w.Height() + 1)
	require.NoError(w.t, err)
	if now == 0 {
		return move{}
	}
	e := now - 1
	windows, err := w.schedule.Windows(e)
	require.NoError(w.t, err)
	if !windows.Submit.Contains(w.Height()+1) || len(w.served[host][e]) == 0 {
		return move{}
	}
	claim, err := w.Claim(host, e, w.served[host][e])
	require.NoError(w.t, err)
	sender := host.Operator
	switch w.rng.IntN(12) {
	case 0: // sums that the root does not have
		claim.Msg.Groups[0].AmountUusdc++
	case 1: // an epoch that is not over
		claim.Msg.Epoch = now
	case 2: // no leave to act for the operator, unless a grant says so
		sender = w.Gateways[0]
		claim.Msg.Sender = sender.String()
	}
	return move{from: sender, msgs: []sdk.Msg{claim.Msg}, done: func(result *abci.ExecTxResult) {
		if result.Code != 0 {
			return
		}
		var response receiptstypes.MsgSubmitBatchResponse
		w.response(result, &response)
		delete(w.served[host], e)
		w.claims = append(w.claims, submitted{Claim: claim, id: response.BatchId, withheld: w.oneIn(12)})
	}}
}

// openSamples opens the samples of a batch whose open window has come.
func (w *walk) openSamples() move {
	for _, claim := range w.claims {
		windows, err := w.schedule.Windows(claim.Msg.Epoch)
		require.NoError(w.t, err)
		if claim.withheld || !windows.Open.Contains(w.Height()+1) {
			continue
		}
		batch := w.batch(claim.id)
		if batch.Batch.Status != receiptstypes.BatchStatus_BATCH_STATUS_SUBMITTED || len(batch.Seed) != sha256.Size {
			continue
		}
		open, err := claim.Open([32]byte(batch.Seed), claim.id, batch.Batch.Samples)
		require.NoError(w.t, err)
		if w.oneIn(6) { // a leaf that was not drawn, or a record that is not the leaf's
			open.Samples[0].Record = slices.Clone(open.Samples[0].Record)
			open.Samples[0].Record[w.rng.IntN(receipt.Size)] ^= 1
		}
		return move{from: claim.Host.Operator, msgs: []sdk.Msg{open}}
	}
	return move{}
}

// claimMoney pulls out what somebody has earned, or fails when there is nothing.
func (w *walk) claimMoney() move {
	operator := pick(w, w.Operators)
	switch w.rng.IntN(3) {
	case 0:
		return move{from: w.Author, msgs: []sdk.Msg{&royaltiestypes.MsgClaim{Payee: w.Author.String()}}}
	case 1:
		return move{from: operator, msgs: []sdk.Msg{&receiptstypes.MsgClaimEarnings{Operator: operator.String()}}}
	default:
		return move{from: operator, msgs: []sdk.Msg{&rewardstypes.MsgClaim{Operator: operator.String()}}}
	}
}

func (w *walk) moveEscrow() move {
	settler := pick(w, w.Payers).Settler
	name := settler.String()
	switch w.rng.IntN(5) {
	case 0:
		return move{from: settler, msgs: []sdk.Msg{&receiptstypes.MsgWithdraw{Settler: name, AmountUusdc: w.amount(1_000_000)}}}
	case 1:
		return move{from: settler, msgs: []sdk.Msg{&receiptstypes.MsgSetLimit{
			Settler: name, Operator: pick(w, w.Operators).String(), LimitUusdc: w.amount(300_000), // less than some batches owe
		}}}
	case 2:
		return move{from: settler, msgs: []sdk.Msg{&receiptstypes.MsgSetLimit{
			Settler: name, Operator: pick(w, w.Operators).String(), UseDefault: true,
		}}}
	case 3:
		return move{from: w.Author, msgs: []sdk.Msg{&rewardstypes.MsgSponsor{Sponsor: w.Author.String(), AmountUusdc: w.amount(1_000_000)}}}
	}
	return move{from: settler, msgs: []sdk.Msg{&receiptstypes.MsgDeposit{Depositor: name, Settler: name, AmountUusdc: w.amount(1_000_000)}}}
}

// fundGroup tops up the newest group that its settler could not cover, by raising the limit first; or one that needs nothing.
func (w *walk) fundGroup() move {
	author := w.Author.String()
	for _, claim := range slices.Backward(w.claims) {
		batch := w.batch(claim.id).Batch
		for i, state := range batch.States {
			settler := slices.IndexFunc(w.Accounts, func(a *apptest.Account) bool { return a.String() == state.Settler })
			if !batch.Open() || !state.Unfunded || settler < 0 {
				continue
			}
			fund := &receiptstypes.MsgFundGroup{Sender: state.Settler, BatchId: claim.id, Group: uint32(i)}
			limit := &receiptstypes.MsgSetLimit{Settler: state.Settler, Operator: batch.Operator, LimitUusdc: 100_000_000}
			return move{from: w.Accounts[settler], msgs: []sdk.Msg{limit, fund}, done: func(result *abci.ExecTxResult) {
				if result.Code == 0 {
					w.done[sdk.MsgTypeURL(fund)]++
				}
			}}
		}
	}
	return move{from: w.Author, msgs: []sdk.Msg{&receiptstypes.MsgFundGroup{Sender: author, BatchId: 1}}}
}

func (w *walk) moveBond() move {
	operator := pick(w, w.Operators)
	if w.oneIn(2) {
		return move{from: operator, msgs: []sdk.Msg{&operatorstypes.MsgBond{Operator: operator.String(), AmountUltai: w.amount(1_000_000_000)}}}
	}
	return move{from: operator, msgs: []sdk.Msg{&operatorstypes.MsgUnbond{Operator: operator.String(), AmountUltai: w.amount(2_000_000_000)}}}
}

func (w *walk) manageHost() move {
	host := pick(w, w.Hosts)
	operator := host.Operator
	switch w.rng.IntN(6) {
	case 0:
		return move{from: operator, msgs: []sdk.Msg{&operatorstypes.MsgAuthoriseRelayer{
			Operator: operator.String(), Relayer: pick(w, w.Gateways).String(), ExpiresHeight: w.Height() + w.amount(50),
		}}}
	case 1:
		return move{from: operator, msgs: []sdk.Msg{&operatorstypes.MsgRevokeRelayer{
			Operator: operator.String(), Relayer: pick(w, w.Gateways).String(),
		}}}
	case 2:
		msg, err := w.Capacity(host, w.Height(), w.oneIn(2))
		require.NoError(w.t, err)
		return move{from: operator, msgs: []sdk.Msg{msg}}
	case 3: // of another operator
		return move{from: pick(w, w.Gateways), msgs: []sdk.Msg{&operatorstypes.MsgUpdateHost{
			Operator: pick(w, w.Gateways).String(), HostId: host.ID[:], Endpoint: "https://other.example",
		}}}
	case 4:
		if w.oneIn(4) {
			return move{from: operator, msgs: []sdk.Msg{&receiptstypes.MsgDeclareLoss{Sender: operator.String(), HostId: host.ID[:], Epoch: w.epoch()}}}
		}
	}
	return move{from: operator, msgs: []sdk.Msg{&operatorstypes.MsgUpdateHost{
		Operator: operator.String(), HostId: host.ID[:], Endpoint: "https://moved.example",
		Models: []operatorstypes.HostModel{{ModelId: w.Model[:], PriceInUusdc: w.amount(1_000_000), ServedName: "base-model"}},
	}}}
}

func (w *walk) manageAssets() move {
	asset := pick(w, append([][32]byte{w.Model}, w.Adapters...))
	author := w.Author.String()
	hash := sha256.Sum256(binary.BigEndian.AppendUint64(nil, w.rng.Uint64()))
	switch w.rng.IntN(5) {
	case 0:
		return move{from: w.Author, msgs: []sdk.Msg{&royaltiestypes.MsgCommitAsset{Owner: author, Hash: hash[:]}}}
	case 1: // never committed
		return move{from: w.Author, msgs: []sdk.Msg{&royaltiestypes.MsgRegisterAsset{
			Owner: author, AssetId: hash[:], Salt: hash[:], Kind: royaltiestypes.AssetKind_ASSET_KIND_BASE, Name: "unknown",
			ManifestSha256: hash[:], License: "MIT",
		}}}
	case 2:
		return move{from: w.Author, msgs: []sdk.Msg{&royaltiestypes.MsgProposeAuthorProof{
			Owner: author, AssetId: w.Model[:], Uri: "https://example.org/proof", Sha256: hash[:],
		}}}
	case 3:
		return move{from: w.Author, msgs: []sdk.Msg{&royaltiestypes.MsgDecideAuthorProof{Arbiter: author, AssetId: w.Model[:], Accept: !w.oneIn(3)}}}
	}
	terms := &royaltiestypes.MsgUpdateTerms{Owner: author, AssetId: asset[:], RoyaltyBps: w.rng.Uint64N(1_500), Payees: []royaltiestypes.Payee{
		{Address: author, Bps: 7_500}, {Address: w.Gateways[0].String(), Bps: 2_500},
	}}
	return move{from: w.Author, msgs: []sdk.Msg{terms}}
}

// register registers who is there already, which must fail, or a new host.
func (w *walk) register() move {
	operator := pick(w, w.Operators)
	if w.oneIn(2) {
		return move{from: operator, msgs: []sdk.Msg{&operatorstypes.MsgRegisterOperator{Operator: operator.String(), Moniker: "again"}}}
	}
	number := uint64(0)
	for _, host := range w.Hosts {
		if host.Operator == operator {
			number++
		}
	}
	host, err := apptest.NewHost(operator, number)
	require.NoError(w.t, err)
	return move{from: operator, msgs: w.RegisterHost(host), done: func(result *abci.ExecTxResult) {
		if result.Code == 0 {
			w.Hosts = append(w.Hosts, host)
			w.served[host] = make(map[uint64][]apptest.Served)
		}
	}}
}

// govern proposes to change a gateway's accreditation, or votes on such a proposal; one that is over fails.
func (w *walk) govern() move {
	if w.proposals > 0 && w.oneIn(2) {
		return move{from: w.Validator, msgs: []sdk.Msg{govv1.NewMsgVote(w.Validator.Address, w.proposals, govv1.OptionYes, "")}}
	}
	accredit := &receiptstypes.MsgAccredit{
		Authority: authtypes.NewModuleAddress(govtypes.ModuleName).String(), Gateway: pick(w, w.Gateways).String(), Accredited: w.oneIn(2),
	}
	deposit := sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 10_000_000))
	msg, err := govv1.NewMsgSubmitProposal([]sdk.Msg{accredit}, deposit, w.Author.String(), "", "accredit", "accredit a gateway", false)
	require.NoError(w.t, err)
	return move{from: w.Author, msgs: []sdk.Msg{msg}, done: func(result *abci.ExecTxResult) {
		require.Zero(w.t, result.Code, result.Log)
		w.proposals++
	}}
}

// send moves coins between accounts, or tries to put some into a module's account.
func (w *walk) send() move {
	from, to := pick(w, w.Accounts), pick(w, w.Accounts).Address
	if w.oneIn(2) {
		to = authtypes.NewModuleAddress(pick(w, []string{"operators", "insurance", "royalties", "receipts", "rewards", "probers_pool", "aleph_pool"}))
	}
	coin := sdk.NewInt64Coin(pick(w, []string{"ualeph", "ultai", "uusdc"}), int64(w.amount(1_000_000)))
	return move{from: from, msgs: []sdk.Msg{banktypes.NewMsgSend(from.Address, to, sdk.NewCoins(coin))}}
}

func (w *walk) stake() move {
	account := pick(w, w.Accounts)
	validator := sdk.ValAddress(w.Validator.Address).String()
	coin := sdk.NewInt64Coin(app.BondDenom, int64(w.amount(1_000_000)))
	switch w.rng.IntN(4) {
	case 0:
		return move{from: account, msgs: []sdk.Msg{stakingtypes.NewMsgUndelegate(account.String(), validator, coin)}}
	case 1:
		return move{from: account, msgs: []sdk.Msg{distrtypes.NewMsgWithdrawDelegatorReward(account.String(), validator)}}
	}
	return move{from: account, msgs: []sdk.Msg{stakingtypes.NewMsgDelegate(account.String(), validator, coin)}}
}

// grant lets one account act or pay for another.
func (w *walk) grant() move {
	from, to := pick(w, w.Operators), pick(w, w.Gateways)
	if w.oneIn(2) {
		expires := w.Time().AddDate(0, 0, 1)
		msg, err := authz.NewMsgGrant(from.Address, to.Address, authz.NewGenericAuthorization(sdk.MsgTypeURL(&banktypes.MsgSend{})), &expires)
		require.NoError(w.t, err)
		return move{from: from, msgs: []sdk.Msg{msg}}
	}
	limit := sdk.NewCoins(sdk.NewInt64Coin(app.BondDenom, 1_000_000))
	msg, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{SpendLimit: limit}, from.Address, to.Address)
	require.NoError(w.t, err)
	return move{from: from, msgs: []sdk.Msg{msg}}
}
