// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"

	"github.com/gpucoord/gpucoord/app"
)

const (
	// minimumGasPrice makes a full block cost its sender something; an operator may ask for more.
	minimumGasPrice = "0.001" + app.BondDenom

	// queryGasLimit bounds one query; the SDK's default is no bound, which lets anyone stall a public node.
	queryGasLimit = 50_000_000

	// timeoutCommit makes blocks of about 6 s, the unit in which the protocol counts days.
	timeoutCommit = 5 * time.Second
)

// appSettings are the template and the values of a new app.toml.
func appSettings() (template string, config *nodeSettings) {
	config = &nodeSettings{Config: *serverconfig.DefaultConfig()}
	config.MinGasPrices = minimumGasPrice
	config.QueryGasLimit = queryGasLimit
	config.API.Enable = true // on the loopback address, as gRPC
	return serverconfig.DefaultConfigTemplate + anchorTemplate, config
}

// cometSettings are the values of a new config.toml.
func cometSettings() *cmtcfg.Config {
	config := cmtcfg.DefaultConfig()
	config.Consensus.TimeoutCommit = timeoutCommit
	return config
}
