// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"errors"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/gpucoord/gpucoord/relayer/evm"
	"github.com/gpucoord/gpucoord/relayer/evm/report"
)

// wantAlert fails unless alert stands and names the reason.
func wantAlert(t *testing.T, r *evm.Anchorer, alert report.Alert, reason error) {
	t.Helper()
	text, stands := r.Report().Alerts[alert]
	if !stands || (reason != nil && !strings.Contains(text, reason.Error())) {
		t.Fatalf("alerts are %v, want %s for %v", r.Report().Alerts, alert, reason)
	}
}

func wantNoAlert(t *testing.T, r *evm.Anchorer) {
	t.Helper()
	if alerts := r.Report().Alerts; len(alerts) != 0 {
		t.Fatalf("alerts stand: %v", alerts)
	}
}

func TestEndpointsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	otherOrigin := w.config()
	otherOrigin.Contract = w.deploy([32]byte{0xbb})
	noContract := w.config()
	noContract.Contract = common.Address{0x77}
	otherHash := w.config()
	otherHash.CodeHash = common.Hash{1}
	plain := w.backend.Client()
	for name, c := range map[string]struct {
		cfg    evm.Config
		client evm.Client
		want   error
	}{
		"another EVM chain":   {w.config(), &skewed{Client: plain, chainID: big.NewInt(1)}, evm.ErrWrongChain},
		"another origin":      {otherOrigin, plain, evm.ErrWrongOrigin},
		"no contract":         {noContract, plain, evm.ErrNoCode},
		"another contract":    {w.config(), wrongCode{plain}, evm.ErrWrongCode},
		"not the hash wanted": {otherHash, plain, evm.ErrWrongCode},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.relayer(0, c.cfg, c.client)
			w.step(r)
			wantAlert(t, r, report.AlertRefused, c.want)
			wantAlert(t, r, report.AlertNoEndpoint, c.want)
			if got := w.spent(0); got != 0 {
				t.Errorf("%d transactions through an endpoint that is refused", got)
			}
		})
	}
}

func TestCodeOfAnotherReleaseIsAcceptedByItsHash(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	cfg := w.config()
	cfg.CodeHash = crypto.Keccak256Hash([]byte{0xfe})
	r := w.relayer(0, cfg, wrongCode{w.backend.Client()})
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
}

func TestOneOfSeveralEndpointsLies(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	liar := &skewed{Client: w.backend.Client(), chainID: big.NewInt(5)}
	dead := &skewed{down: errors.New("gone")}
	r := w.relayer(0, w.config(), liar, dead, w.backend.Client())
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
	wantAlert(t, r, report.AlertRefused, evm.ErrWrongChain)
	if liar.sent != 0 || dead.sent != 0 {
		t.Error("transactions went to endpoints that are not used")
	}
	got := r.Report().Endpoints
	if got[0].Usable || got[1].Usable || !got[2].Usable || got[1].Errors == 0 {
		t.Errorf("endpoints are %+v", got)
	}
}

func TestAnEndpointThatComesBackIsCheckedAnew(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	p := &skewed{Client: w.backend.Client()}
	r := w.relayer(0, w.config(), p)
	w.step(r)
	p.down = errors.New("gone")
	w.step(r)
	wantAlert(t, r, report.AlertNoEndpoint, nil)
	p.down, p.Client = nil, wrongCode{w.backend.Client()}
	w.step(r)
	wantAlert(t, r, report.AlertRefused, evm.ErrWrongCode)
	p.Client = w.backend.Client()
	w.step(r)
	wantNoAlert(t, r)
}

func TestAnEndpointBehindIsNotRead(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.MaxLag = 2
	behind := &skewed{Client: w.backend.Client(), block: big.NewInt(2)}
	for range 3 {
		w.backend.Commit()
	}
	r := w.relayer(0, cfg, behind, w.backend.Client())
	w.chain.grow(1)
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
	if e := r.Report().Endpoints[0]; e.Usable || !strings.Contains(e.Fault, evm.ErrBehind.Error()) {
		t.Errorf("endpoint behind is %+v", e)
	}
}

func TestARestartBesideAnEndpointBehindSpendsNothing(t *testing.T) {
	w := newWorld(t)
	w.chain.grow(1)
	r := w.relayer(0, w.config())
	behind := &skewed{Client: w.backend.Client(), block: big.NewInt(2), pending: errors.New("not supported"), noEstimate: true}
	w.step(r)
	w.backend.Commit()
	w.wantAnchor(1)
	again := w.relayer(0, w.config(), behind) // it shows neither the anchor nor the account's transaction
	for range 3 {
		w.step(again)
		w.backend.Commit()
	}
	if behind.sent == 0 {
		t.Fatal("nothing was tried: the test shows nothing")
	}
	if got := w.spent(0); got != 1 {
		t.Fatalf("%d transactions in blocks for one anchor", got)
	}
	behind.block = nil
	w.step(again)
	wantNoAlert(t, again)
}

func TestErrorsDoNotShowAddresses(t *testing.T) {
	w := newWorld(t)
	op := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 1}, Err: errors.New("connection refused")}
	for name, down := range map[string]error{
		"URL":  &url.Error{Op: "Post", URL: "https://rpc.example/v3/SECRET", Err: op},
		"IP":   op,
		"body": rpc.HTTPError{StatusCode: 401, Status: "401 Unauthorized", Body: []byte("no such key: SECRET")},
		"DNS":  &net.DNSError{Err: "no such host", Name: "SECRET.example"},
	} {
		r := w.relayer(0, w.config(), &skewed{down: down})
		w.step(r)
		wantAlert(t, r, report.AlertNoEndpoint, nil)
		text := r.Report().Alerts[report.AlertNoEndpoint] + r.Report().Endpoints[0].Fault
		if strings.Contains(text, "SECRET") || strings.Contains(text, "10.9.8.7") {
			t.Errorf("%s: alert shows the address: %s", name, text)
		}
	}
}

// pruned is an endpoint of a chain whose finality takes longer than the endpoint keeps states, and that is making its index of
// transactions.
type pruned struct{ evm.Client }

func (p pruned) gone(block *big.Int) error {
	if block != nil && block.Sign() == 0 {
		return errors.New("missing trie node")
	}
	return nil
}

func (p pruned) HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error) {
	if number != nil && number.Sign() < 0 {
		number = new(big.Int)
	}
	return p.Client.HeaderByNumber(ctx, number)
}

func (p pruned) CallContract(ctx context.Context, call ethereum.CallMsg, block *big.Int) ([]byte, error) {
	if err := p.gone(block); err != nil {
		return nil, err
	}
	return p.Client.CallContract(ctx, call, block)
}

func (p pruned) NonceAt(ctx context.Context, account common.Address, block *big.Int) (uint64, error) {
	if err := p.gone(block); err != nil {
		return 0, err
	}
	return p.Client.NonceAt(ctx, account, block)
}

func (p pruned) TransactionReceipt(context.Context, common.Hash) (*types.Receipt, error) {
	return nil, errors.New("transaction indexing is in progress")
}

func TestAnEndpointWithoutTheFinalizedStateOrReceiptsIsUsed(t *testing.T) {
	w := newWorld(t)
	r := w.relayer(0, w.config(), pruned{w.backend.Client()})
	for nonce := range uint64(3) {
		w.chain.grow(1)
		w.step(r)
		w.backend.Commit()
		w.wantAnchor(nonce + 1)
	}
	w.step(r)
	wantNoAlert(t, r)
}
