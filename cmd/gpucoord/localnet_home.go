// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	cmtcfg "github.com/cometbft/cometbft/config"

	sdkmath "cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"

	"github.com/gpucoord/gpucoord/app"
)

const (
	validatorName = "validator"

	// validatorStake is what the only validator bonds; it keeps as much again for fees.
	validatorStake = 1_000_000_000
)

var (
	errHomeInUse = errors.New("the home has a genesis already: choose another --home or remove it")
	errAccount   = errors.New("an account needs coins and exactly one of name and address")
	errPorts     = errors.New("every port must be given, above zero and different from the others")
)

// accountSpec is one element of the --accounts file.
type accountSpec struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Mnemonic string `json:"mnemonic"`
	Coins    string `json:"coins"`
}

// fundedAccount is an account of the genesis with what it holds.
type fundedAccount struct {
	localnetAccount

	address sdk.AccAddress
	coins   sdk.Coins
}

// localnet holds what the steps of initLocalnet share.
type localnet struct {
	opts      localnetOptions
	wiring    *app.App
	comet     *cmtcfg.Config
	keys      keyring.Keyring
	validator fundedAccount
	accounts  []fundedAccount
	consensus cryptotypes.PubKey
	anchorKey [20]byte
}

// initLocalnet writes the home that opts describe.
//
// Errors: errHomeInUse, errPorts, errAccount, a file that can not be read, or a genesis that does not validate.
func initLocalnet(wiring *app.App, opts localnetOptions) (localnetReport, error) {
	net := &localnet{opts: opts, wiring: wiring, comet: localCometSettings(opts)}
	if err := opts.ports.check(); err != nil {
		return localnetReport{}, err
	}
	if _, err := os.Stat(net.comet.GenesisFile()); !errors.Is(err, fs.ErrNotExist) {
		return localnetReport{}, fmt.Errorf("%w: %s", errHomeInUse, opts.home)
	}
	for _, step := range []func() error{net.writeSettings, net.makeKeys, net.makeAnchorKey, net.writeGenesis} {
		if err := step(); err != nil {
			return localnetReport{}, err
		}
	}
	return net.report(), nil
}

func (p localnetPorts) check() error {
	seen := map[uint16]bool{0: true}
	for _, port := range []uint16{p.RPC, p.P2P, p.GRPC, p.API} {
		if seen[port] {
			return fmt.Errorf("%w: rpc %d, p2p %d, grpc %d, api %d", errPorts, p.RPC, p.P2P, p.GRPC, p.API)
		}
		seen[port] = true
	}
	return nil
}

func localCometSettings(opts localnetOptions) *cmtcfg.Config {
	config := cometSettings()
	config.SetRoot(opts.home)
	config.Moniker = validatorName
	config.Consensus.TimeoutCommit = opts.blockTime
	config.RPC.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", opts.ports.RPC)
	config.RPC.PprofListenAddress = ""
	config.P2P.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", opts.ports.P2P)
	// Peers of a local network share one address, which a public address book refuses.
	config.P2P.AddrBookStrict = false
	config.P2P.AllowDuplicateIP = true
	return config
}

// writeSettings makes the directories and the three files of settings.
func (n *localnet) writeSettings() error {
	cmtcfg.EnsureRoot(n.opts.home)
	files := filepath.Join(n.opts.home, "config")
	cmtcfg.WriteConfigFile(filepath.Join(files, "config.toml"), n.comet)

	template, settings := appSettings()
	settings.MinGasPrices = n.opts.gasPrices
	settings.GRPC.Address = fmt.Sprintf("127.0.0.1:%d", n.opts.ports.GRPC)
	settings.API.Address = fmt.Sprintf("tcp://127.0.0.1:%d", n.opts.ports.API)
	settings.Anchor.KeyFile = localAnchorKeyFile
	serverconfig.SetConfigTemplate(template)
	serverconfig.WriteConfigFile(filepath.Join(files, "app.toml"), settings)

	clientSettings := fmt.Sprintf("chain-id = %q\nkeyring-backend = %q\nkeyring-default-keyname = \"\"\noutput = \"text\"\nnode = %q\nbroadcast-mode = \"sync\"\ngas-prices = %q\n",
		n.opts.chainID, keyring.BackendTest, n.comet.RPC.ListenAddress, n.opts.gasPrices)
	if err := os.WriteFile(filepath.Join(files, "client.toml"), []byte(clientSettings), 0o600); err != nil {
		return fmt.Errorf("write client.toml: %w", err)
	}
	return nil
}

// makeKeys makes the consensus key, the validator's account and the accounts of the file.
func (n *localnet) makeKeys() error {
	var err error
	if _, n.consensus, err = genutil.InitializeNodeValidatorFiles(n.comet); err != nil {
		return fmt.Errorf("make the node's keys: %w", err)
	}
	if n.keys, err = keyring.New(app.Name, keyring.BackendTest, n.opts.home, nil, n.wiring.Encoding().Codec); err != nil {
		return fmt.Errorf("open the keyring: %w", err)
	}
	coins := sdk.NewCoin(app.BondDenom, sdkmath.NewInt(2*validatorStake))
	if n.validator, err = n.fund(accountSpec{Name: validatorName, Coins: coins.String()}); err != nil {
		return err
	}
	specs, err := readAccounts(n.opts.accountsFile)
	if err != nil {
		return err
	}
	for i, spec := range specs {
		account, err := n.fund(spec)
		if err != nil {
			return fmt.Errorf("account %d of %s: %w", i, n.opts.accountsFile, err)
		}
		n.accounts = append(n.accounts, account)
	}
	return nil
}

func readAccounts(file string) ([]accountSpec, error) {
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --accounts: %w", err)
	}
	var specs []accountSpec
	if err := json.Unmarshal(raw, &specs); err != nil {
		return nil, fmt.Errorf("read --accounts %s: %w", file, err)
	}
	return specs, nil
}

// fund turns a line of the file into an account, making or importing its key when it has a name.
func (n *localnet) fund(spec accountSpec) (fundedAccount, error) {
	coins, err := sdk.ParseCoinsNormalized(spec.Coins)
	if err != nil {
		return fundedAccount{}, fmt.Errorf("%w: %w", errAccount, err)
	}
	if coins.Empty() || (spec.Name == "") == (spec.Address == "") {
		return fundedAccount{}, fmt.Errorf("%w: name %q, address %q, coins %q", errAccount, spec.Name, spec.Address, spec.Coins)
	}
	account := fundedAccount{
		localnetAccount: localnetAccount{Name: spec.Name, Address: spec.Address, Mnemonic: spec.Mnemonic, Coins: coins.String()},
		coins:           coins,
	}
	if spec.Name != "" {
		if err := n.addKey(&account); err != nil {
			return fundedAccount{}, err
		}
		return account, nil
	}
	if account.address, err = sdk.AccAddressFromBech32(spec.Address); err != nil {
		return fundedAccount{}, fmt.Errorf("%w: address %q: %w", errAccount, spec.Address, err)
	}
	return account, nil
}

func (n *localnet) addKey(account *fundedAccount) error {
	var (
		record *keyring.Record
		err    error
		path   = sdk.GetConfig().GetFullBIP44Path()
	)
	if account.Mnemonic == "" {
		record, account.Mnemonic, err = n.keys.NewMnemonic(account.Name, keyring.English, path, keyring.DefaultBIP39Passphrase, hd.Secp256k1)
	} else {
		record, err = n.keys.NewAccount(account.Name, account.Mnemonic, keyring.DefaultBIP39Passphrase, path, hd.Secp256k1)
	}
	if err != nil {
		return fmt.Errorf("key %q: %w", account.Name, err)
	}
	if account.address, err = record.GetAddress(); err != nil {
		return fmt.Errorf("address of key %q: %w", account.Name, err)
	}
	account.Address = account.address.String()
	return nil
}

func (n *localnet) report() localnetReport {
	report := localnetReport{
		Home: n.opts.home, ChainID: n.opts.chainID, EpochBlocks: n.opts.epochBlocks,
		KeyringBackend: keyring.BackendTest, MinimumGasPrice: n.opts.gasPrices,
		Validator: n.validator.localnetAccount, ValidatorOper: sdk.ValAddress(n.validator.address).String(),
		Accounts: make([]localnetAccount, 0, len(n.accounts)), Ports: n.opts.ports,
		RPC:  fmt.Sprintf("http://127.0.0.1:%d", n.opts.ports.RPC),
		GRPC: fmt.Sprintf("127.0.0.1:%d", n.opts.ports.GRPC),
		API:  fmt.Sprintf("http://127.0.0.1:%d", n.opts.ports.API),
	}
	for _, account := range n.accounts {
		report.Accounts = append(report.Accounts, account.localnetAccount)
	}
	return report
}
