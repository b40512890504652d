// SPDX-License-Identifier: Apache-2.0

// Package difftest runs the committed bytecode on go-ethereum's simulated backend and compares it with domain/anchor and domain/log:
// what the one accepts the other accepts, and the digests are the same bytes.
package difftest

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"

	"github.com/gpucoord/gpucoord/contracts/receiptanchor"
	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

const (
	trustingPeriod = 14 * 24 * 3600
	ringSize       = 1024
	gasLimit       = 16_000_000
)

var (
	testOrigin  = [32]byte(common.HexToHash("0x6f726967696e"))
	submitterID = crypto.Keccak256([]byte("gpucoord test submitter: never fund"))
	binding     = receiptanchor.NewReceiptAnchor()
)

// osaka pins the rules of the newest fork that main networks have; the library's default is whatever it is developing.
func osaka(_ *node.Config, c *ethconfig.Config) {
	config := *c.Genesis.Config
	config.AmsterdamTime, config.VerkleTime = nil, nil
	c.Genesis.Config = &config
}

// rules are the sets of protocol rules that every test of behaviour runs under.
var rules = map[string][]func(*node.Config, *ethconfig.Config){"osaka": {osaka}, "default": nil}

// eachRule runs test on a fresh chain of either set.
func eachRule(t *testing.T, test func(t *testing.T, c *chain)) {
	t.Helper()
	for name, options := range rules {
		t.Run(name, func(t *testing.T) { test(t, newChain(t, options...)) })
	}
}

// chain is an EVM chain in this process with one funded account.
type chain struct {
	t       *testing.T
	backend *simulated.Backend
	client  simulated.Client
	from    common.Address
	nonce   uint64
}

func newChain(t *testing.T, options ...func(*node.Config, *ethconfig.Config)) *chain {
	t.Helper()
	key, err := crypto.ToECDSA(submitterID)
	if err != nil {
		t.Fatal(err)
	}
	from := crypto.PubkeyToAddress(key.PublicKey)
	purse := new(big.Int).Mul(big.NewInt(1000), big.NewInt(params.Ether))
	backend := simulated.NewBackend(types.GenesisAlloc{from: {Balance: purse}}, options...)
	t.Cleanup(func() {
		if err := backend.Close(); err != nil {
			t.Error(err)
		}
	})
	backend.Commit() // the first block has no time
	return &chain{t: t, backend: backend, client: backend.Client(), from: from}
}

// now is the newest block's time, in Unix seconds.
func (c *chain) now() uint64 {
	c.t.Helper()
	header, err := c.client.HeaderByNumber(c.t.Context(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return header.Time
}

// send mines one transaction and returns its receipt, whether it was reverted or not.
func (c *chain) send(to *common.Address, data []byte) *types.Receipt {
	c.t.Helper()
	key, err := crypto.ToECDSA(submitterID)
	if err != nil {
		c.t.Fatal(err)
	}
	id, err := c.client.ChainID(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: c.nonce, GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(10 * params.GWei), Gas: gasLimit, To: to, Data: data,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.nonce++
	if err := c.client.SendTransaction(c.t.Context(), tx); err != nil {
		c.t.Fatal(err)
	}
	c.backend.Commit()
	return c.receipt(tx.Hash())
}

// receipt is that of a mined transaction. The node indexes transactions beside its mining, so it is asked until it knows.
func (c *chain) receipt(tx common.Hash) *types.Receipt {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		r, err := c.client.TransactionReceipt(ctx, tx)
		switch {
		case err == nil:
			return r
		case !errors.Is(err, ethereum.NotFound):
			c.t.Fatal(err)
		}
		<-tick.C
	}
}

// call returns what a call returns, or the custom error's selector as reverted.
func (c *chain) call(to common.Address, data []byte) (out []byte, reverted string) {
	c.t.Helper()
	out, err := c.client.CallContract(c.t.Context(), ethereum.CallMsg{From: c.from, To: &to, Data: data, Gas: gasLimit}, nil)
	if err == nil {
		return out, ""
	}
	var withData interface{ ErrorData() any }
	if !errors.As(err, &withData) {
		c.t.Fatalf("a call failed without a reason: %v", err)
	}
	text, ok := withData.ErrorData().(string)
	if !ok {
		c.t.Fatalf("a call failed with data %v", withData.ErrorData())
	}
	raw := common.FromHex(text)
	named, err := binding.UnpackError(raw)
	if err != nil {
		c.t.Fatalf("unknown custom error %x: %v", raw, err)
	}
	return raw, errorName(named)
}

// deploy creates a contract from code and packed constructor arguments.
func (c *chain) deploy(code, args []byte) common.Address {
	c.t.Helper()
	r := c.send(nil, append(append([]byte{}, code...), args...))
	if r.Status != types.ReceiptStatusSuccessful {
		c.t.Fatal("the deployment was reverted")
	}
	return r.ContractAddress
}

// deployAnchor creates a ReceiptAnchor that holds the set with this hash.
func (c *chain) deployAnchor(set [32]byte, guardian common.Address) common.Address {
	c.t.Helper()
	code := common.FromHex(receiptanchor.ReceiptAnchorMetaData.Bin)
	return c.deploy(code, binding.PackConstructor(testOrigin, set, c.now(), trustingPeriod, guardian))
}

// artifact is a contract that only tests deploy.
func artifact(t *testing.T, name string) (code []byte, definition abi.ABI) {
	t.Helper()
	bin, err := os.ReadFile(filepath.Join("testdata", name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join("testdata", name+".abi.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	definition, err = abi.JSON(file)
	if err != nil {
		t.Fatal(err)
	}
	return common.FromHex(strings.TrimSpace(string(bin))), definition
}

// signers is a set with the keys of its members, in the set's order.
type signers struct {
	set  anchor.Valset
	keys []*receipt.PrivateKey
}

// newSigners makes a set of n members; seed keeps two sets apart, power gives the member made i-th his power.
func newSigners(t *testing.T, seed byte, n int, power func(i int) uint64) signers {
	t.Helper()
	byAddress := map[[20]byte]*receipt.PrivateKey{}
	var s signers
	for i := range n {
		key, err := receipt.ParsePrivateKey(crypto.Keccak256([]byte("anchor test key"), []byte{seed}, binary.BigEndian.AppendUint32(nil, uint32(i))))
		if err != nil {
			t.Fatal(err)
		}
		address := receipt.KeyAddress(key)
		byAddress[address] = key
		s.set = append(s.set, anchor.Member{Address: address, Power: power(i)})
	}
	s.set.Sort()
	for _, m := range s.set {
		s.keys = append(s.keys, byAddress[m.Address])
	}
	return s
}

func equalPower(int) uint64 { return 100 }

// sign has the members at these places sign.
func (s signers) sign(a anchor.Anchor, members ...int) []anchor.Signed {
	digest := anchor.NewDomain(testOrigin).Digest(a)
	var signed []anchor.Signed
	for _, i := range members {
		signed = append(signed, anchor.Signed{Member: i, Signature: receipt.Sign(s.keys[i], digest)})
	}
	return signed
}

// everyone is all places of the set.
func (s signers) everyone() (places []int) {
	for i := range s.set {
		places = append(places, i)
	}
	return places
}

// submission is the arguments of submit.
type submission struct {
	anchor      anchor.Anchor
	members     [][32]byte
	bitmap      anchor.Bitmap
	sigs        []byte
	consistency [][32]byte
}

// quorum is the submission with the fewest signatures.
func (s signers) quorum(t *testing.T, a anchor.Anchor) submission {
	t.Helper()
	bitmap, sigs, err := s.set.Quorum(s.sign(a, s.everyone()...))
	if err != nil {
		t.Fatal(err)
	}
	return submission{anchor: a, members: s.set.Packed(), bitmap: bitmap, sigs: compact(sigs)}
}

// all is the submission with every member's signature.
func (s signers) all(a anchor.Anchor) submission {
	sub := submission{anchor: a, members: s.set.Packed()}
	var sigs []anchor.Signature
	for _, signed := range s.sign(a, s.everyone()...) {
		sub.bitmap.Set(signed.Member)
		sigs = append(sigs, signed.Signature)
	}
	sub.sigs = compact(sigs)
	return sub
}

func compact(sigs []anchor.Signature) (out []byte) {
	for _, sig := range sigs {
		c := anchor.Compact(sig)
		out = append(out, c[:]...)
	}
	return out
}

func (s submission) pack() []byte {
	return binding.PackSubmit(bound(s.anchor), s.members, new(big.Int).SetBytes(s.bitmap[:]), s.sigs, s.consistency)
}

func bound(a anchor.Anchor) receiptanchor.ReceiptAnchorAnchor {
	return receiptanchor.ReceiptAnchorAnchor{
		Nonce: a.Nonce, Height: a.Height, Time: a.Time, TreeSize: a.TreeSize, Root: a.Root, NextValset: a.NextValset,
	}
}

// hash is 32 bytes written as hex, with or without 0x.
type hash [32]byte

// UnmarshalJSON implements json.Unmarshaler.
func (h *hash) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(raw) != 32 {
		return errors.New("not 32 bytes of hex: " + text)
	}
	copy(h[:], raw)
	return nil
}

func unhash(path []hash) [][32]byte {
	out := make([][32]byte, 0, len(path))
	for _, h := range path {
		out = append(out, h)
	}
	return out
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
