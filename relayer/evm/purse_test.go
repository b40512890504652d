// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"errors"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/gpucoord/gpucoord/relayer/evm"
)

func writeFile(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func someTx() *types.Transaction {
	to := common.Address{7}
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: big.NewInt(1337), Nonce: 3, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(9), Gas: 21000, To: &to, Data: []byte{1, 2},
	})
}

// wantSigned fails unless purse signs.
func wantSigned(t *testing.T, purse evm.Purse) {
	t.Helper()
	tx := someTx()
	signed, err := purse.Sign(t.Context(), tx, big.NewInt(1337))
	if err != nil {
		t.Fatal(err)
	}
	signer := types.LatestSignerForChainID(big.NewInt(1337))
	if from, err := types.Sender(signer, signed); err != nil || from != purse.Address() || signer.Hash(signed) != signer.Hash(tx) {
		t.Errorf("signed by %v (%v), want %v", from, err, purse.Address())
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	store := keystore.NewKeyStore(dir, keystore.LightScryptN, keystore.LightScryptP)
	account, err := store.NewAccount("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	good := writeFile(t, filepath.Join(dir, "good"), "open sesame\n", 0o600)
	purse, err := evm.OpenKeyFile(account.URL.Path, good)
	if err != nil || purse.Address() != account.Address {
		t.Fatalf("got %v, %v", purse, err)
	}
	wantSigned(t, purse)
	sealed, err := os.ReadFile(account.URL.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key, password string
		want          error
	}{
		"wrong password":         {account.URL.Path, writeFile(t, filepath.Join(dir, "bad"), "no", 0o600), evm.ErrKeyFile},
		"password for all":       {account.URL.Path, writeFile(t, filepath.Join(dir, "open"), "open sesame", 0o644), evm.ErrKeyMode},
		"key for the group":      {writeFile(t, filepath.Join(dir, "key"), string(sealed), 0o640), good, evm.ErrKeyMode},
		"no keystore":            {good, good, evm.ErrKeyFile},
		"a file that is missing": {filepath.Join(dir, "none"), good, os.ErrNotExist},
	} {
		if _, err := evm.OpenKeyFile(c.key, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// signer is a remote signer; the zero values have no faults.
type signer struct {
	keys []*key
	// fields returns the transaction with its fields beside it, as geth does.
	fields, lies bool
	// hangs, when not nil, is waited for.
	hangs chan struct{}
}

func (s *signer) Accounts() []common.Address {
	out := make([]common.Address, len(s.keys))
	for i, k := range s.keys {
		out[i] = k.address
	}
	return out
}

type signArgs struct {
	To      *common.Address `json:"to"`
	Nonce   hexutil.Uint64  `json:"nonce"`
	Gas     hexutil.Uint64  `json:"gas"`
	Data    hexutil.Bytes   `json:"data"`
	MaxFee  *hexutil.Big    `json:"maxFeePerGas"`
	MaxTip  *hexutil.Big    `json:"maxPriorityFeePerGas"`
	ChainID *hexutil.Big    `json:"chainId"`
	Value   *hexutil.Big    `json:"value"`
	From    common.Address  `json:"from"`
}

func (s *signer) SignTransaction(ctx context.Context, a signArgs) (any, error) {
	if s.hangs != nil {
		<-s.hangs
	}
	if s.lies {
		a.Nonce++
	}
	for _, k := range s.keys {
		if k.address != a.From {
			continue
		}
		tx, err := k.Sign(ctx, types.NewTx(&types.DynamicFeeTx{
			ChainID: a.ChainID.ToInt(), Nonce: uint64(a.Nonce), GasTipCap: a.MaxTip.ToInt(), GasFeeCap: a.MaxFee.ToInt(), Gas: uint64(a.Gas),
			To: a.To, Value: a.Value.ToInt(), Data: a.Data,
		}), a.ChainID.ToInt())
		if err != nil {
			return nil, err
		}
		raw, err := tx.MarshalBinary()
		if s.fields {
			return map[string]any{"raw": hexutil.Bytes(raw), "tx": tx}, err
		}
		return hexutil.Bytes(raw), err
	}
	return nil, errors.New("unknown account")
}

func (s *signer) server(t *testing.T) *rpc.Server {
	t.Helper()
	server := rpc.NewServer()
	if err := server.RegisterName("eth", s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

func TestRemoteSigners(t *testing.T) {
	one := newKey(t, 1)
	for name, s := range map[string]*signer{"raw": {keys: []*key{one}}, "with fields": {keys: []*key{one}, fields: true}} {
		http := httptest.NewServer(s.server(t))
		t.Cleanup(http.Close)
		purse, err := evm.OpenRemoteSigner(t.Context(), http.URL, common.Address{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantSigned(t, purse)
	}
}

func TestARemoteSignerOnASocket(t *testing.T) {
	s := &signer{keys: []*key{newKey(t, 1), newKey(t, 2)}}
	path := filepath.Join(t.TempDir(), "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := s.server(t)
	go func() { _ = server.ServeListener(listener) }() // it ends with the listener
	t.Cleanup(func() { _ = listener.Close() })
	if _, err := evm.OpenRemoteSigner(t.Context(), "unix://"+path, common.Address{}); !errors.Is(err, evm.ErrManyKeys) {
		t.Errorf("two accounts and none named: got %v", err)
	}
	if _, err := evm.OpenRemoteSigner(t.Context(), "unix://"+path, common.Address{9}); !errors.Is(err, evm.ErrSigner) {
		t.Errorf("an account it has not: got %v", err)
	}
	purse, err := evm.OpenRemoteSigner(t.Context(), "unix://"+path, s.keys[1].address)
	if err != nil || purse.Address() != s.keys[1].address {
		t.Fatalf("got %v, %v", purse, err)
	}
	wantSigned(t, purse)
	for _, address := range []string{"", "ftp://x", "unix://relative", "127.0.0.1:80"} {
		if _, err := evm.OpenRemoteSigner(t.Context(), address, common.Address{}); !errors.Is(err, evm.ErrSignerURL) {
			t.Errorf("%q: got %v", address, err)
		}
	}
}

func TestASignerThatLiesOrHangs(t *testing.T) {
	for name, c := range map[string]struct {
		lies, hangs bool
		want        error
		after       time.Duration
	}{
		"lies":  {true, false, evm.ErrSignerLied, 0},
		"hangs": {false, true, evm.ErrSigner, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &signer{keys: []*key{newKey(t, 1)}, lies: c.lies}
				client := rpc.DialInProc(s.server(t))
				defer client.Close()
				if c.hangs {
					s.hangs = make(chan struct{})
					defer close(s.hangs)
				}
				purse, err := evm.NewRemoteKey(t.Context(), client, common.Address{})
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if _, err := purse.Sign(t.Context(), someTx(), big.NewInt(1337)); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if got := time.Since(start); got != c.after {
					t.Errorf("took %s, want %s", got, c.after)
				}
			})
		})
	}
}
