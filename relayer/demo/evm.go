// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/devchain"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
)

// ErrEVM says that the EVM side did not start.
var ErrEVM = errors.New("the EVM side of the demo did not start; check --evm-rpc and its key, or leave it out with --no-evm")

const (
	// anchorer names the program that brings anchors to the EVM chain.
	anchorer = "anchorer"
	// devBlocks is how often the embedded EVM chain makes a block; shorter would let its clock run ahead.
	devBlocks = time.Second
	// evmTimeout bounds making the contract: a few blocks of a real chain.
	evmTimeout = 3 * time.Minute
	// Gas prices above these are not paid on a chain that somebody else runs.
	maxFeeGwei = 50
)

// evmSide is the EVM chain of a demo, embedded or somebody's, and the contract on it. It is raised while other things go on; what
// is below done may be read when that is closed.
type evmSide struct {
	stop context.CancelFunc
	done chan struct{}
	err  error

	url     string
	chainID uint64
	// dev is the embedded chain; nil for somebody's.
	dev    *devchain.Chain
	client *ethclient.Client
	// keyFile and passwordFile are of the account that pays for anchors; spent is how many transactions it had sent before.
	keyFile, passwordFile string
	account               common.Address
	spent                 uint64
	contract              common.Address
	// since is a block from before the contract was made.
	since uint64
}

// label says which EVM chain it is.
func (e *evmSide) label() string {
	if e.dev != nil {
		return "development EVM chain, simulated"
	}
	return "EVM chain of --evm-rpc"
}

// startEVM raises the EVM side in the background, so that it delays nothing.
func (w *World) startEVM(ctx context.Context) {
	if w.opts.NoEVM {
		return
	}
	e := &evmSide{done: make(chan struct{})}
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx)) // closeEVM ends it
	w.evm = e
	go func() {
		defer close(e.done)
		if e.err = w.raiseEVM(ctx, e); e.err != nil {
			e.err = fmt.Errorf("%w: %w", ErrEVM, e.err)
			if ctx.Err() == nil {
				w.progress.say("%v", e.err)
			}
		}
	}()
}

// haltEVM ends what is still being raised. The chain goes on, for the anchorer, until closeEVM.
func (w *World) haltEVM() {
	if w.evm == nil {
		return
	}
	w.evm.stop()
	<-w.evm.done
}

func (w *World) closeEVM() error {
	if w.evm == nil {
		return nil
	}
	if w.evm.client != nil {
		w.evm.client.Close()
	}
	if w.evm.dev == nil {
		return nil
	}
	return w.evm.dev.Close()
}

// raiseEVM makes the chain unless it is somebody's, and the contract, and starts the anchorer.
func (w *World) raiseEVM(ctx context.Context, e *evmSide) error {
	bounded, cancel := context.WithTimeout(ctx, evmTimeout)
	defer cancel()
	if err := w.openEVM(ctx, e); err != nil {
		return err
	}
	if err := w.placeContract(bounded, e); err != nil {
		return fmt.Errorf("make the contract: %w", err)
	}
	if err := w.startService(bounded, "evm run", anchorer, w.anchorerSettings(e)); err != nil {
		return err
	}
	if err := w.waitServes(bounded, anchorer, w.state.Ports.url("anchorer-status", 0)+"/status"); err != nil {
		return err
	}
	w.progress.say("anchors go to contract %s (%s, chain id %d)", e.contract, e.label(), e.chainID)
	return nil
}

// openEVM connects to the chain. The embedded one is in memory, so it is a new one whenever the demo starts.
func (w *World) openEVM(ctx context.Context, e *evmSide) error {
	e.url, e.keyFile, e.passwordFile = w.opts.EVMRPC, w.opts.EVMKeyFile, w.opts.EVMPasswordFile
	if e.url == "" {
		dir := w.home.path("data", "evm")
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
			return err
		}
		dev, err := devchain.Start(ctx, devchain.Options{Dir: dir, BlockInterval: devBlocks, Accounts: 2, Port: w.state.Ports["evm"][0]})
		if err != nil {
			return err
		}
		payer := dev.Accounts[1] // the first makes the contract
		e.dev, e.url, e.keyFile, e.passwordFile = dev, dev.URL, payer.KeystorePath, payer.PasswordFile
	}
	var err error
	if e.client, err = ethclient.DialContext(ctx, e.url); err != nil {
		return errors.New("--evm-rpc is no address that can be used") // without it: it can hold an access key
	}
	id, err := e.client.ChainID(ctx)
	if err != nil {
		return fmt.Errorf("ask for the EVM chain's id: %w", err)
	}
	e.chainID = id.Uint64()
	purse, err := evm.OpenKeyFile(e.keyFile, e.passwordFile)
	if err != nil {
		return err
	}
	e.account = purse.Address()
	return nil
}

// placeContract makes the contract with the chain's origin and its present set, or finds the one that an earlier run has made on
// somebody's chain.
func (w *World) placeContract(ctx context.Context, e *evmSide) error {
	var err error
	if e.since, err = e.client.BlockNumber(ctx); err != nil {
		return err
	}
	if err = w.deployOrFind(ctx, e); err != nil {
		return err
	}
	e.spent, err = e.client.NonceAt(ctx, e.account, nil)
	return err
}

func (w *World) deployOrFind(ctx context.Context, e *evmSide) error {
	if e.dev == nil {
		if known, ok := w.state.Contracts[fmt.Sprint(e.chainID)]; ok {
			e.contract = common.HexToAddress(known)
			code, err := e.client.CodeAt(ctx, e.contract, nil)
			if err != nil || len(code) > 0 {
				return err // the anchorer refuses one that is not this chain's
			}
		}
	}
	deployment, err := w.deployment(ctx)
	if err != nil {
		return err
	}
	if e.dev != nil {
		e.contract, err = e.dev.Deploy(ctx, deployment)
		return err
	}
	purse, err := evm.OpenKeyFile(e.keyFile, e.passwordFile)
	if err != nil {
		return err
	}
	made, err := evm.Deploy(ctx, e.client, purse, evm.GweiLimits(0, maxFeeGwei, maxFeeGwei), deployment)
	if err != nil {
		return err
	}
	e.contract = made.Address
	if err := made.Wait(ctx, e.client, time.Second); err != nil {
		return err
	}
	return w.save(func(s *state) {
		if s.Contracts == nil {
			s.Contracts = make(map[string]string)
		}
		s.Contracts[fmt.Sprint(e.chainID)] = e.contract.Hex()
	})
}

// deployment is what the chain says of itself.
func (w *World) deployment(ctx context.Context) (d evm.Deployment, err error) {
	node := evm.NewNode(w.chain)
	err = w.poll(ctx, func() (bool, error) {
		if d.Origin, err = node.Origin(ctx); err != nil {
			return false, nil //nolint:nilerr // a node that was just started is asked again
		}
		d.Valset, err = node.Signers(ctx)
		return err == nil, nil //nolint:nilerr // as above
	})
	if err != nil {
		return d, err
	}
	params, err := w.chain.Anchors.Params(ctx, &anchorstypes.QueryParamsRequest{})
	if err != nil {
		return d, fmt.Errorf("read the trusting period: %w", err)
	}
	d.TrustingPeriod = uint32(params.Params.TrustingPeriodSeconds) //nolint:gosec // a year at most
	return d, nil
}

// anchorerSettings is the configuration of the anchorer.
func (w *World) anchorerSettings(e *evmSide) string {
	var t settings
	t.set("chain_id", w.state.ChainID)
	t.set("node", "grpc://"+w.state.Ports.address("grpc", 0))
	t.set("status_listen", w.state.Ports.address("anchorer-status", 0))
	t.table("[[evm]]")
	t.set("name", "demo")
	t.set("chain_id", e.chainID)
	t.raw("rpcs", fmt.Sprintf("[%q]", e.url))
	t.set("contract", e.contract.Hex())
	t.set("key_file", e.keyFile)
	t.set("password_file", e.passwordFile)
	t.set("race_window", "0s") // nobody else submits
	t.set("max_fee_gwei", maxFeeGwei)
	if e.dev != nil {
		t.set("interval", (devBlocks / 2).String())
		t.set("resend_after", (10 * devBlocks).String())
	}
	return t.String()
}
