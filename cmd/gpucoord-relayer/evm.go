// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/gpucoord/gpucoord/relayer"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/config"
	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// errNotHash says that a flag's value is no hash.
var errNotHash = errors.New("give 64 hex digits")

func newEVMCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "evm", Short: "Bring the chain's anchors to EVM chains"}
	cmd.AddCommand(newEVMRunCommand(), newEVMDeployCommand(), newEVMDevCommand())
	return cmd
}

func newEVMRunCommand() *cobra.Command {
	var path string
	return addConfigFlag(&cobra.Command{
		Use:   "run",
		Short: "Anchor and watch only; needs no operator and no account on the chain",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(path, config.DefaultAnchoring())
			if err != nil {
				return err
			}
			log, err := newLogger(cmd, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return relayer.Anchor(cmd.Context(), cfg, log)
		},
	}, &path)
}

// deployFlags are what evm deploy is told.
type deployFlags struct {
	rpc, keyFile, passwordFile string
	node, chainID              string
	origin, valset, guardian   string
	trustingPeriod             time.Duration
	maxFeeGwei                 uint64
}

func newEVMDeployCommand() *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Make a ReceiptAnchor contract and print its address",
		Long: "Make a ReceiptAnchor contract and print its address. What is not given is read from the gpucoord node: the origin, the set that\n" +
			"signs the next anchor, and the trusting period. None of it can be changed later.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return deploy(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.rpc, "rpc", "", "JSON-RPC of the EVM chain: a URL, or file:/path of a file that holds it")
	flags.StringVar(&f.keyFile, "key-file", "", "geth keystore (version 3) of the account that pays")
	flags.StringVar(&f.passwordFile, "password-file", "", "file with the keystore's password")
	flags.StringVar(&f.node, "node", "grpc://127.0.0.1:9090", "gpucoord node")
	flags.StringVar(&f.chainID, "chain-id", "", "chain-id of the gpucoord chain")
	flags.StringVar(&f.origin, "origin", "", "origin id, 64 hex digits (default: the node's)")
	flags.StringVar(&f.valset, "valset", "", "hash of the set that signs the next anchor, 64 hex digits (default: the node's)")
	flags.DurationVar(&f.trustingPeriod, "trusting-period", 0, "how long a set is believed (default: the node's)")
	flags.StringVar(&f.guardian, "guardian", "", "address that may name a set when the contract is stale (default: nobody)")
	flags.Uint64Var(&f.maxFeeGwei, "max-fee-gwei", 50, "most that is paid for one gas")
	for _, name := range []string{"rpc", "key-file", "password-file", "chain-id"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic("flag " + name + " is not there: " + err.Error()) // only a fault of the lines above
		}
	}
	return cmd
}

func deploy(cmd *cobra.Command, f *deployFlags) error {
	ctx := cmd.Context()
	d, err := f.deployment(ctx)
	if err != nil {
		return err
	}
	purse, err := evm.OpenKeyFile(f.keyFile, f.passwordFile)
	if err != nil {
		return err
	}
	clients, err := evm.DialEndpoints(ctx, []string{f.rpc})
	if err != nil {
		return err
	}
	made, err := evm.Deploy(ctx, clients[0], purse, evm.GweiLimits(0, f.maxFeeGwei, f.maxFeeGwei), d)
	if err != nil {
		return err
	}
	if err := made.Wait(ctx, clients[0], time.Second); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "contract %s\ntx       %s\norigin   %x\nvalset   %x\n", made.Address, made.Tx, d.Origin, d.Valset)
	return err
}

// deployment reads from the node what the flags leave open.
func (f *deployFlags) deployment(ctx context.Context) (d evm.Deployment, err error) {
	client, err := chain.Dial(f.node, f.chainID)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	node := evm.NewNode(client)
	if d.Origin, err = hashOr(f.origin, func() ([32]byte, error) { return node.Origin(ctx) }); err != nil {
		return d, fmt.Errorf("origin: %w", err)
	}
	if d.Valset, err = hashOr(f.valset, func() ([32]byte, error) { return node.Signers(ctx) }); err != nil {
		return d, fmt.Errorf("valset: %w", err)
	}
	seconds := uint64(f.trustingPeriod / time.Second)
	if seconds == 0 {
		res, err := client.Anchors.Params(ctx, &anchorstypes.QueryParamsRequest{})
		if err != nil {
			return d, fmt.Errorf("trusting period: %w", err)
		}
		seconds = res.Params.TrustingPeriodSeconds
	}
	if seconds > math.MaxUint32 {
		return d, fmt.Errorf("trusting period: %d seconds do not fit 32 bits", seconds)
	}
	d.TrustingPeriod = uint32(seconds)
	if f.guardian != "" {
		if !common.IsHexAddress(f.guardian) {
			return d, fmt.Errorf("guardian: %q is no address", f.guardian)
		}
		d.Guardian = common.HexToAddress(f.guardian)
	}
	return d, nil
}

func hashOr(flag string, read func() ([32]byte, error)) ([32]byte, error) {
	if flag == "" {
		return read()
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(flag, "0x"))
	if err != nil || len(raw) != 32 {
		return [32]byte{}, errNotHash
	}
	return [32]byte(raw), nil
}

func newEVMDevCommand() *cobra.Command {
	var o devchain.Options
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run an EVM chain for trying things out, in this process; its coins are worth nothing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := devchain.Start(cmd.Context(), o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "rpc %s\nchain_id %d\n", c.URL, devchain.ChainID)
			for _, a := range c.Accounts {
				_, printErr := fmt.Fprintf(cmd.OutOrStdout(), "account %s key_file %s password_file %s\n", a.Address, a.KeystorePath, a.PasswordFile)
				err = errors.Join(err, printErr)
			}
			<-cmd.Context().Done()
			return errors.Join(err, c.Close())
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", ".", "directory for the keys; it must exist")
	cmd.Flags().DurationVar(&o.BlockInterval, "block-interval", time.Second, "how often a block is made")
	cmd.Flags().IntVar(&o.Accounts, "accounts", 2, "how many accounts have coins")
	cmd.Flags().IntVar(&o.Port, "port", 8545, "port of the JSON-RPC; 0 for one that is free")
	return cmd
}
