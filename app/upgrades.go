// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
)

// release is one planned upgrade: the plan's name and the stores that it adds or removes.
type release struct {
	name   string
	stores storetypes.StoreUpgrades
}

// releases lists every upgrade this binary can run. The first version of the chain has none.
var releases []release

// setUpgrades installs the migrations of releases, and the store changes of the one that is due at this start.
func (a *App) setUpgrades() error {
	if len(releases) == 0 {
		return nil
	}
	due, err := a.Upgrade.ReadUpgradeInfoFromDisk()
	if err != nil {
		return fmt.Errorf("read the pending upgrade: %w", err)
	}
	for _, r := range releases {
		a.Upgrade.SetUpgradeHandler(r.name, a.migrate)
		if r.name == due.Name && !a.Upgrade.IsSkipHeight(due.Height) {
			a.SetStoreLoader(upgradetypes.UpgradeStoreLoader(due.Height, &r.stores))
		}
	}
	return nil
}

func (a *App) migrate(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
	return a.moduleManager.RunMigrations(ctx, a.configurator, from)
}
