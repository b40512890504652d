// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	reflectionv1 "cosmossdk.io/api/cosmos/reflection/v1"
	"github.com/cosmos/cosmos-sdk/runtime/services"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authsims "github.com/cosmos/cosmos-sdk/x/auth/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/auth/vesting"
	vestingtypes "github.com/cosmos/cosmos-sdk/x/auth/vesting/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzmodule "github.com/cosmos/cosmos-sdk/x/authz/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/consensus"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distr "github.com/cosmos/cosmos-sdk/x/distribution"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/evidence"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantmodule "github.com/cosmos/cosmos-sdk/x/feegrant/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govclient "github.com/cosmos/cosmos-sdk/x/gov/client"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/upgrade"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/gpucoord/gpucoord/x/anchors"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	"github.com/gpucoord/gpucoord/x/operators"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	"github.com/gpucoord/gpucoord/x/receipts"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	"github.com/gpucoord/gpucoord/x/rewards"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	"github.com/gpucoord/gpucoord/x/royalties"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

func newModules(app *App) *module.Manager {
	cdc, registry := app.encoding.Codec, app.encoding.InterfaceRegistry
	return module.NewManager(
		genutil.NewAppModule(app.Auth, app.Staking, app, app.encoding.TxConfig),
		auth.NewAppModule(cdc, app.Auth, authsims.RandomGenesisAccounts),
		vesting.NewAppModule(app.Auth, app.Bank),
		bank.NewAppModule(cdc, app.Bank, app.Auth),
		authzmodule.NewAppModule(cdc, app.Authz, app.Auth, app.Bank, registry),
		feegrantmodule.NewAppModule(cdc, app.Auth, app.Bank, app.Feegrant, registry),
		consensus.NewAppModule(cdc, app.Consensus),
		staking.NewAppModule(cdc, app.Staking, app.Auth, app.Bank),
		distr.NewAppModule(cdc, app.Distribution, app.Auth, app.Bank, app.Staking),
		slashing.NewAppModule(cdc, app.Slashing, app.Auth, app.Bank, app.Staking, registry),
		evidence.NewAppModule(*app.Evidence),
		gov.NewAppModule(cdc, app.Gov, app.Auth, app.Bank),
		upgrade.NewAppModule(app.Upgrade, registry.SigningContext().AddressCodec()),

		operators.NewAppModule(cdc, app.Operators),
		royalties.NewAppModule(cdc, app.Royalties),
		anchors.NewAppModule(cdc, app.Anchors),
		receipts.NewAppModule(cdc, app.Receipts),
		rewards.NewAppModule(cdc, app.Rewards),
	)
}

// newBasics registers every module's types with the codecs and returns what the command line needs of the modules.
func newBasics(app *App) module.BasicManager {
	basics := module.NewBasicManagerFromManager(app.moduleManager, map[string]module.AppModuleBasic{
		genutiltypes.ModuleName: genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
		govtypes.ModuleName:     gov.NewAppModuleBasic([]govclient.ProposalHandler{}),
	})
	basics.RegisterLegacyAminoCodec(app.encoding.Amino)
	basics.RegisterInterfaces(app.encoding.InterfaceRegistry)
	return basics
}

// setOrder fixes what runs before what. A module that a list forgets makes the manager panic when the node starts.
func setOrder(m *module.Manager) {
	m.SetOrderPreBlockers(
		upgradetypes.ModuleName, // a migration comes before anything reads the state
		authtypes.ModuleName,    // drops expired unordered nonces before transactions look them up
	)
	m.SetOrderBeginBlockers(
		operatorstypes.ModuleName, // first: writes the block hash and the epoch's start, which all below may ask for
		receiptstypes.ModuleName,  // pins the parameters of an epoch before anything is priced by them
		distrtypes.ModuleName,     // last block's fees go to those who signed it, before slashing changes the set
		slashingtypes.ModuleName,
		evidencetypes.ModuleName,
		stakingtypes.ModuleName, // records the header after slashing and evidence have acted on the set
		authz.ModuleName,
	)
	m.SetOrderEndBlockers(
		banktypes.ModuleName, // credits what parallel execution gathered, before anyone reads a balance
		govtypes.ModuleName,  // a passed proposal acts on the validator set of this block
		stakingtypes.ModuleName,
		feegrant.ModuleName,
		royaltiestypes.ModuleName, // closes its windows before batches are priced
		receiptstypes.ModuleName,  // draws seeds, settles due batches: bonds and terms are final for this block
		rewardstypes.ModuleName,   // settles an epoch after the batches that this block closed
		anchorstypes.ModuleName,   // states the log with all that this block appended, and names the set that staking has just made
		operatorstypes.ModuleName, // last: a bond that matures now is still there for the slashes of this block
	)
	genesis := []string{
		authtypes.ModuleName, // module accounts must exist before bank credits them
		banktypes.ModuleName, // the others check their account against their state
		consensustypes.ModuleName,
		distrtypes.ModuleName, // its hooks run when staking and genutil create validators
		stakingtypes.ModuleName,
		slashingtypes.ModuleName,
		govtypes.ModuleName,
		evidencetypes.ModuleName,
		authz.ModuleName,
		feegrant.ModuleName,
		vestingtypes.ModuleName,
		upgradetypes.ModuleName,
		operatorstypes.ModuleName, // the epoch grid, on which the modules below count
		royaltiestypes.ModuleName,
		anchorstypes.ModuleName,
		receiptstypes.ModuleName,
		rewardstypes.ModuleName,
		genutiltypes.ModuleName, // last: its transactions run against the whole state
	}
	m.SetOrderInitGenesis(genesis...)
	m.SetOrderExportGenesis(genesis...)
}

// registerServices opens the modules' messages and queries, and the two services by which a client finds them.
func (a *App) registerServices() error {
	a.configurator = module.NewConfigurator(a.encoding.Codec, a.MsgServiceRouter(), a.GRPCQueryRouter())
	if err := a.moduleManager.RegisterServices(a.configurator); err != nil {
		return fmt.Errorf("register the modules' services: %w", err)
	}
	reflection, err := services.NewReflectionService()
	if err != nil {
		return fmt.Errorf("reflection service: %w", err)
	}
	autocliv1.RegisterQueryServer(a.GRPCQueryRouter(), services.NewAutoCLIQueryService(a.moduleManager.Modules))
	reflectionv1.RegisterReflectionServiceServer(a.GRPCQueryRouter(), reflection)
	return nil
}
