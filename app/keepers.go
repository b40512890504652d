// SPDX-License-Identifier: Apache-2.0

package app

import (
	"maps"
	"slices"

	"github.com/spf13/cast"

	"cosmossdk.io/core/store"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	evidencekeeper "github.com/cosmos/cosmos-sdk/x/evidence/keeper"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantkeeper "github.com/cosmos/cosmos-sdk/x/feegrant/keeper"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1beta1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1beta1"
	slashingkeeper "github.com/cosmos/cosmos-sdk/x/slashing/keeper"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradekeeper "github.com/cosmos/cosmos-sdk/x/upgrade/keeper"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	anchorskeeper "github.com/gpucoord/gpucoord/x/anchors/keeper"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	operatorskeeper "github.com/gpucoord/gpucoord/x/operators/keeper"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptskeeper "github.com/gpucoord/gpucoord/x/receipts/keeper"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardskeeper "github.com/gpucoord/gpucoord/x/rewards/keeper"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltieskeeper "github.com/gpucoord/gpucoord/x/royalties/keeper"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// Keepers are the keepers of all modules.
type Keepers struct {
	Consensus consensuskeeper.Keeper
	Auth      authkeeper.AccountKeeper
	Bank      bankkeeper.BaseKeeper
	Authz     authzkeeper.Keeper
	Feegrant  feegrantkeeper.Keeper

	Staking      *stakingkeeper.Keeper
	Distribution distrkeeper.Keeper
	Slashing     slashingkeeper.Keeper
	Evidence     *evidencekeeper.Keeper
	Gov          *govkeeper.Keeper
	Upgrade      *upgradekeeper.Keeper

	Operators *operatorskeeper.Keeper
	Royalties *royaltieskeeper.Keeper
	Anchors   *anchorskeeper.Keeper
	Receipts  *receiptskeeper.Keeper
	Rewards   *rewardskeeper.Keeper
}

// storeKeys are the stores of all modules, by name.
type storeKeys struct {
	kv     map[string]*storetypes.KVStoreKey
	object map[string]*storetypes.ObjectStoreKey
}

func newStoreKeys() storeKeys {
	return storeKeys{
		kv: storetypes.NewKVStoreKeys(
			authtypes.StoreKey, banktypes.StoreKey, consensustypes.StoreKey, authzkeeper.StoreKey, feegrant.StoreKey,
			stakingtypes.StoreKey, distrtypes.StoreKey, slashingtypes.StoreKey, evidencetypes.StoreKey,
			govtypes.StoreKey, upgradetypes.StoreKey,
			operatorstypes.StoreKey, royaltiestypes.StoreKey, anchorstypes.StoreKey,
			receiptstypes.StoreKey, rewardstypes.StoreKey,
		),
		// Bank gathers the fees of one block here, so that parallel executors do not contend for one account.
		object: storetypes.NewObjectStoreKeys(banktypes.ObjectStoreKey),
	}
}

func (k storeKeys) all() []storetypes.StoreKey {
	keys := make([]storetypes.StoreKey, 0, len(k.kv)+len(k.object))
	for _, name := range slices.Sorted(maps.Keys(k.kv)) {
		keys = append(keys, k.kv[name])
	}
	for _, name := range slices.Sorted(maps.Keys(k.object)) {
		keys = append(keys, k.object[name])
	}
	return keys
}

// newKeepers builds the keepers in the order of their dependencies, one blank line a layer.
func newKeepers(app *App, opts servertypes.AppOptions) (Keepers, error) {
	var (
		k       Keepers
		cdc     = app.encoding.Codec
		signing = app.encoding.InterfaceRegistry.SigningContext()
		// Governance alone may change parameters.
		authority = authtypes.NewModuleAddress(govtypes.ModuleName).String()
		store     = func(name string) store.KVStoreService { return runtime.NewKVStoreService(app.keys.kv[name]) }
	)
	k.Consensus = consensuskeeper.NewKeeper(cdc, store(consensustypes.StoreKey), authority, runtime.EventService{})
	app.SetParamStore(k.Consensus.ParamsStore)

	k.Auth = authkeeper.NewAccountKeeper(cdc, store(authtypes.StoreKey), authtypes.ProtoBaseAccount, accountPermissions,
		signing.AddressCodec(), Bech32Prefix, authority, authkeeper.WithUnorderedTransactions(true))
	k.Bank = bankkeeper.NewBaseKeeper(cdc, store(banktypes.StoreKey), k.Auth, blockedAddresses(), authority, app.Logger()).
		WithObjStoreKey(app.keys.object[banktypes.ObjectStoreKey])
	k.Authz = authzkeeper.NewKeeper(store(authzkeeper.StoreKey), cdc, app.MsgServiceRouter(), k.Auth)
	k.Feegrant = feegrantkeeper.NewKeeper(cdc, store(feegrant.StoreKey), k.Auth)

	k.Staking = stakingkeeper.NewKeeper(cdc, store(stakingtypes.StoreKey), k.Auth, k.Bank, authority,
		signing.ValidatorAddressCodec(), address.NewBech32Codec(Bech32Prefix+"valcons"))
	k.Distribution = distrkeeper.NewKeeper(cdc, store(distrtypes.StoreKey), k.Auth, k.Bank, k.Staking, authtypes.FeeCollectorName, authority)
	k.Slashing = slashingkeeper.NewKeeper(cdc, app.encoding.Amino, store(slashingtypes.StoreKey), k.Staking, authority)
	k.Staking.SetHooks(stakingtypes.NewMultiStakingHooks(k.Distribution.Hooks(), k.Slashing.Hooks()))
	k.Evidence = evidencekeeper.NewKeeper(cdc, store(evidencetypes.StoreKey), k.Staking, k.Slashing,
		signing.AddressCodec(), runtime.ProvideCometInfoService())

	k.Gov = govkeeper.NewKeeper(cdc, store(govtypes.StoreKey), k.Auth, k.Bank, k.Distribution, app.MsgServiceRouter(),
		govtypes.DefaultConfig(), authority, govkeeper.NewDefaultCalculateVoteResultsAndVotingPower(k.Staking))
	// Empty: a proposal carries messages. Without a router a legacy content would be a nil dereference.
	k.Gov.SetLegacyRouter(govv1beta1.NewRouter())
	k.Upgrade = upgradekeeper.NewKeeper(skippedUpgrades(opts), store(upgradetypes.StoreKey), cdc,
		cast.ToString(opts.Get(flags.FlagHome)), app.BaseApp, authority)

	addresses, governor := signing.AddressCodec(), []byte(authtypes.NewModuleAddress(govtypes.ModuleName))
	k.Operators = operatorskeeper.NewKeeper(cdc, store(operatorstypes.StoreKey), addresses, k.Bank, governor)
	archive, err := openAnchorArchive(opts)
	if err != nil {
		return k, err
	}
	app.anchorArchive = archive
	k.Anchors = anchorskeeper.NewKeeper(anchorskeeper.Deps{
		Codec: cdc, StoreService: store(anchorstypes.StoreKey), AddressCodec: addresses, ValidatorCodec: signing.ValidatorAddressCodec(),
		Authority: governor, Staking: k.Staking, Slashing: k.Slashing, Recover: newSignerCache().recover, Archive: archive.keeper(),
	})
	k.Royalties = royaltieskeeper.NewKeeper(royaltieskeeper.Deps{
		Codec: cdc, StoreService: store(royaltiestypes.StoreKey), AddressCodec: addresses, Authority: governor,
		Bank: k.Bank, Epochs: k.Operators,
	})

	k.Receipts = receiptskeeper.NewKeeper(receiptskeeper.Deps{
		Codec: cdc, StoreService: store(receiptstypes.StoreKey), AddressCodec: addresses, Authority: governor,
		Bank: k.Bank, Operators: k.Operators, Royalties: k.Royalties, Log: k.Anchors,
	})

	k.Rewards = rewardskeeper.NewKeeper(rewardskeeper.Deps{
		Codec: cdc, StoreService: store(rewardstypes.StoreKey), AddressCodec: addresses, Authority: governor,
		Bank: k.Bank, Receipts: k.Receipts, Operators: k.Operators, Anchors: k.Anchors,
	})

	return k, nil
}

// skippedUpgrades are the heights whose upgrade the node's operator chose not to run.
func skippedUpgrades(opts servertypes.AppOptions) map[int64]bool {
	skipped := make(map[int64]bool)
	for _, height := range cast.ToIntSlice(opts.Get(server.FlagUnsafeSkipUpgrades)) {
		skipped[int64(height)] = true
	}
	return skipped
}

// accountPermissions are the module accounts and what each may do beyond holding coins. No account may mint.
var accountPermissions = map[string][]string{
	authtypes.FeeCollectorName:          nil,
	distrtypes.ModuleName:               nil,
	govtypes.ModuleName:                 {authtypes.Burner},                    // deposits of vetoed proposals
	stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking}, // slashed stake
	stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking}, // slashed unbonding stake
	stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},                    // the fee of a consensus key rotation

	operatorstypes.ModuleName:       nil, // bonds, also while they unbond
	operatorstypes.InsuranceAccount: nil, // slashes, a part of the take, remainders of splits
	royaltiestypes.ModuleName:       nil, // accruals of authors
	receiptstypes.ModuleName:        nil, // escrow, gateways' bonds, operators' earnings
	receiptstypes.ProbersPool:       nil, // a part of the take
	receiptstypes.AlephPool:         nil, // a part of the take
	rewardstypes.ModuleName:         nil, // epoch pools, sponsors' money, unclaimed rewards
}

// blockedAddresses may not be paid by a plain transfer: what they hold must equal what their module's state owes.
// Governance stays open, so that a proposal can be given money to spend.
func blockedAddresses() map[string]bool {
	blocked := make(map[string]bool)
	for name := range accountPermissions {
		blocked[authtypes.NewModuleAddress(name).String()] = name != govtypes.ModuleName
	}
	return blocked
}
