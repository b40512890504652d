// SPDX-License-Identifier: Apache-2.0

package chain_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	p2p "github.com/cometbft/cometbft/proto/tendermint/p2p"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	grpctypes "github.com/cosmos/cosmos-sdk/types/grpc"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const chainID = "gpucoord-test"

// node is a node's gRPC side.
type node struct {
	cmtservice.UnimplementedServiceServer
	network string
	err     error // what every call of package tx gives
	height  string
}

type statusService struct {
	nodeservice.UnimplementedServiceServer
	height uint64
}

type operatorsService struct {
	operatorstypes.UnimplementedQueryServer
	n *node
}

type txService struct {
	txtypes.UnimplementedServiceServer
	n *node
}

type authService struct {
	authtypes.UnimplementedQueryServer
}

func (n *node) GetNodeInfo(context.Context, *cmtservice.GetNodeInfoRequest) (*cmtservice.GetNodeInfoResponse, error) {
	return &cmtservice.GetNodeInfoResponse{DefaultNodeInfo: &p2p.DefaultNodeInfo{Network: n.network}}, nil
}

func (s *statusService) Status(context.Context, *nodeservice.StatusRequest) (*nodeservice.StatusResponse, error) {
	at := time.Unix(1_790_000_000, 0).UTC()
	return &nodeservice.StatusResponse{Height: s.height, Timestamp: &at}, nil
}

func (o *operatorsService) Params(ctx context.Context, _ *operatorstypes.QueryParamsRequest) (*operatorstypes.QueryParamsResponse, error) {
	if md, ok := metadata.FromIncomingContext(ctx); ok && len(md.Get(grpctypes.GRPCBlockHeightHeader)) == 1 {
		o.n.height = md.Get(grpctypes.GRPCBlockHeightHeader)[0]
	}
	return &operatorstypes.QueryParamsResponse{Params: operatorstypes.DefaultParams()}, nil
}

func (*authService) AccountInfo(_ context.Context, req *authtypes.QueryAccountInfoRequest) (*authtypes.QueryAccountInfoResponse, error) {
	if req.Address == "nobody" {
		return nil, status.Error(codes.NotFound, "account nobody not found")
	}
	return &authtypes.QueryAccountInfoResponse{Info: &authtypes.BaseAccount{AccountNumber: 3, Sequence: 8}}, nil
}

func (t *txService) Simulate(context.Context, *txtypes.SimulateRequest) (*txtypes.SimulateResponse, error) {
	return &txtypes.SimulateResponse{GasInfo: &sdk.GasInfo{GasUsed: 77}}, t.n.err
}

func (t *txService) BroadcastTx(context.Context, *txtypes.BroadcastTxRequest) (*txtypes.BroadcastTxResponse, error) {
	res := &sdk.TxResponse{TxHash: "AB"}
	if t.n.err != nil {
		res.Code, res.Codespace, res.RawLog = 19, "sdk", t.n.err.Error()
	}
	return &txtypes.BroadcastTxResponse{TxResponse: res}, nil
}

func (t *txService) GetTx(context.Context, *txtypes.GetTxRequest) (*txtypes.GetTxResponse, error) {
	return &txtypes.GetTxResponse{TxResponse: &sdk.TxResponse{TxHash: "AB", Height: 9, Code: 4, RawLog: "why"}}, t.n.err
}

// serve starts the node and returns a client of it.
func serve(t *testing.T, n *node, height uint64) *chain.Client {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	cmtservice.RegisterServiceServer(server, n)
	txtypes.RegisterServiceServer(server, &txService{n: n})
	nodeservice.RegisterServiceServer(server, &statusService{height: height})
	operatorstypes.RegisterQueryServer(server, &operatorsService{n: n})
	authtypes.RegisterQueryServer(server, &authService{})
	go func() { _ = server.Serve(listener) }() // ends with Stop
	t.Cleanup(server.Stop)
	client, err := chain.Dial("grpc://"+listener.Addr().String(), chainID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestHeadIsTheNewestStateOfTheRightChain(t *testing.T) {
	head, err := serve(t, &node{network: chainID}, 12).Head(t.Context())
	if err != nil || head.Height != 12 || head.Time.Unix() != 1_790_000_000 {
		t.Errorf("got %+v, %v", head, err)
	}
	if _, err := serve(t, &node{network: "other"}, 12).Head(t.Context()); !errors.Is(err, chain.ErrWrongChain) {
		t.Errorf("another chain: got %v", err)
	}
	if _, err := serve(t, &node{network: chainID}, 0).Head(t.Context()); !errors.Is(err, chain.ErrNoBlock) {
		t.Errorf("no block yet: got %v", err)
	}
}

func TestWaitDomain(t *testing.T) {
	n := &node{network: chainID}
	client := serve(t, n, 12)
	domain, err := client.WaitDomain(t.Context(), slog.New(slog.DiscardHandler))
	want := receipt.NewDomain(chainID, operatorstypes.DefaultParams().EvmChainId)
	if err != nil || domain.Separator() != want.Separator() {
		t.Errorf("got %x, %v", domain.Separator(), err)
	}
	if _, err := serve(t, &node{network: "other"}, 12).WaitDomain(t.Context(), slog.New(slog.DiscardHandler)); !errors.Is(err, chain.ErrWrongChain) {
		t.Errorf("another chain: got %v", err)
	}
}

func TestAtHeightAsksForThatState(t *testing.T) {
	n := &node{network: chainID}
	client := serve(t, n, 12)
	if _, err := client.Operators.Params(chain.AtHeight(t.Context(), 11), &operatorstypes.QueryParamsRequest{}); err != nil {
		t.Fatal(err)
	}
	if n.height != "11" {
		t.Errorf("asked at height %q, want 11", n.height)
	}
}

func TestErrorsOfTransactions(t *testing.T) {
	n := &node{network: chainID}
	client := serve(t, n, 12)
	if seq, err := client.Sequence(t.Context(), "someone"); err != nil || seq.Number != 3 || seq.Next != 8 {
		t.Errorf("sequence: got %+v, %v", seq, err)
	}
	if _, err := client.Sequence(t.Context(), "nobody"); !errors.Is(err, chain.ErrNoAccount) {
		t.Errorf("no account: got %v", err)
	}
	if gas, err := client.Simulate(t.Context(), nil); err != nil || gas != 77 {
		t.Errorf("simulate: got %d, %v", gas, err)
	}
	if res, err := client.Tx(t.Context(), "AB"); err != nil || res.Height != 9 || res.Code != 4 || res.Log != "why" {
		t.Errorf("tx: got %+v, %v", res, err)
	}
	n.err = status.Error(codes.Unknown, "cover is too low")
	if _, err := client.Simulate(t.Context(), nil); !errors.Is(err, chain.ErrTxRejected) {
		t.Errorf("simulation fails: got %v", err)
	}
	if res, err := client.Broadcast(t.Context(), nil); !errors.Is(err, chain.ErrTxRejected) || res.Code != 19 {
		t.Errorf("refused: got %+v, %v", res, err)
	}
	n.err = status.Error(codes.NotFound, "tx not found")
	if _, err := client.Tx(t.Context(), "AB"); !errors.Is(err, chain.ErrTxNotFound) {
		t.Errorf("no tx: got %v", err)
	}
	n.err = status.Error(codes.Unavailable, "shutting down")
	if _, err := client.Simulate(t.Context(), nil); err == nil || errors.Is(err, chain.ErrTxRejected) {
		t.Errorf("no answer: got %v, which is no refusal", err)
	}
}

func TestSignedTransactionIsTheAccounts(t *testing.T) {
	client := serve(t, &node{network: chainID}, 12)
	account := chain.NewAccount([32]byte{31: 7})
	msgs, err := chain.Pack(&receiptstypes.MsgOpenSamples{Sender: account.Bech32(), BatchId: 5})
	if err != nil {
		t.Fatal(err)
	}
	params := chain.TxParams{Sequence: chain.Sequence{Number: 3, Next: 8}, Gas: 100, FeeUaleph: 9, FeeGranter: "granter", TimeoutHeight: 40}
	raw, hash, err := client.Sign(account, params, msgs...)
	if err != nil {
		t.Fatal(err)
	}
	if again, hash2, err := client.Sign(account, params, msgs...); err != nil || hash != hash2 || !bytes.Equal(raw, again) || len(hash) != 64 {
		t.Errorf("signed again it is another transaction (%v)", err)
	}
	var tx txtypes.TxRaw
	var body txtypes.TxBody
	var auth txtypes.AuthInfo
	if err := errors.Join(tx.Unmarshal(raw), body.Unmarshal(tx.BodyBytes), auth.Unmarshal(tx.AuthInfoBytes)); err != nil {
		t.Fatal(err)
	}
	if body.TimeoutHeight != 40 || auth.SignerInfos[0].Sequence != 8 || auth.Fee.GasLimit != 100 || auth.Fee.Granter != "granter" || auth.Fee.Amount.String() != "9ualeph" {
		t.Errorf("transaction says %+v, %+v", body, auth)
	}
	doc := txtypes.SignDoc{BodyBytes: tx.BodyBytes, AuthInfoBytes: tx.AuthInfoBytes, ChainId: chainID, AccountNumber: 3}
	signed, err := doc.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	key := (&secp256k1.PrivKey{Key: append(make([]byte, 31), 7)}).PubKey()
	if !key.VerifySignature(signed, tx.Signatures[0]) || !bytes.Equal(key.Address(), account.Address()) {
		t.Error("signature is not the account's")
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	key, err := chain.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "key")
	if err := chain.WriteKeyFile(path, key); err != nil {
		t.Fatal(err)
	}
	if got, err := chain.ReadKeyFile(path); err != nil || got != key {
		t.Errorf("read back: %v", err)
	}
	if err := chain.WriteKeyFile(path, key); !errors.Is(err, os.ErrExist) {
		t.Errorf("written over a key: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.ReadKeyFile(path); !errors.Is(err, chain.ErrKeyFile) {
		t.Errorf("readable by others: got %v", err)
	}
	for name, text := range map[string]string{"short": "00", "not hex": "zz", "empty": ""} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := chain.LoadAccount(path); !errors.Is(err, chain.ErrKeyFile) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	want := [20]byte{1, 2, 3}
	if got, err := chain.ParseBech32(chain.Bech32(want[:])); err != nil || got != want {
		t.Errorf("got %x, %v", got, err)
	}
	for _, bad := range []string{"", "gpucoord1", "cosmos1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9", chain.Bech32(make([]byte, 32))} {
		if got, err := chain.ParseBech32(bad); err == nil {
			t.Errorf("%q: got %x", bad, got)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:9090", "http://127.0.0.1:9090", "grpc://", "grpc://h:1/path"} {
		if _, err := chain.Dial(bad, chainID); !errors.Is(err, chain.ErrBadURL) {
			t.Errorf("%q: got %v, want ErrBadURL", bad, err)
		}
	}
}
