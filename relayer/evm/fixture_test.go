// SPDX-License-Identifier: Apache-2.0

package evm_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/evm"
)

// fakeChain is a gpucoord chain in memory: a log, sets of keys, and the anchors they signed.
type fakeChain struct {
	origin   [32]byte
	leaves   [][32]byte
	sets     map[[32]byte]anchor.Valset
	keys     map[[20]byte]*receipt.PrivateKey
	current  anchor.Valset
	attested []evm.Attested
	clock    uint64
	fault    error
}

func newFakeChain(t *testing.T, validators int) *fakeChain {
	t.Helper()
	c := &fakeChain{
		origin: [32]byte{0xaa, 1}, sets: make(map[[32]byte]anchor.Valset), keys: make(map[[20]byte]*receipt.PrivateKey), clock: uint64(time.Now().Unix()), //nolint:gosec // Unix time
	}
	c.rotate(t, validators, 1)
	return c
}

// rotate gives the next anchors' signers: the set of the given size and seed.
func (c *fakeChain) rotate(t *testing.T, validators int, seed byte) {
	t.Helper()
	var set anchor.Valset
	for i := range validators {
		key, err := receipt.ParsePrivateKey(crypto.Keccak256([]byte{seed, byte(i)}))
		if err != nil {
			t.Fatal(err)
		}
		address := receipt.KeyAddress(key)
		c.keys[address] = key
		set = append(set, anchor.Member{Address: address, Power: 100})
	}
	set.Sort()
	c.sets[set.Hash()] = set
	c.current = set
}

// attest appends leaves and signs an anchor with signers; what follows is signed by current.
func (c *fakeChain) attest(signers anchor.Valset, leaves int) evm.Attested {
	for range leaves {
		c.leaves = append(c.leaves, log.LeafHash(binary.BigEndian.AppendUint64(nil, uint64(len(c.leaves)))))
	}
	c.clock++
	n := uint64(len(c.attested) + 1)
	a := c.sign(signers, anchor.Anchor{
		Nonce: n, Height: 10 * n, Time: c.clock, TreeSize: uint64(len(c.leaves)), Root: log.Root(c.leaves), NextValset: c.current.Hash(),
	})
	c.attested = append(c.attested, a)
	return a
}

func (c *fakeChain) sign(signers anchor.Valset, a anchor.Anchor) evm.Attested {
	out := evm.Attested{Anchor: a, Signers: signers.Hash()}
	digest := anchor.NewDomain(c.origin).Digest(a)
	for i, m := range signers {
		out.Signatures = append(out.Signatures, anchor.Signed{Member: i, Signature: receipt.Sign(c.keys[m.Address], digest)})
	}
	return out
}

// grow attests one more anchor by the present set.
func (c *fakeChain) grow(leaves int) evm.Attested { return c.attest(c.current, leaves) }

func (c *fakeChain) Origin(context.Context) ([32]byte, error) { return c.origin, c.fault }

func (c *fakeChain) Latest(context.Context) (evm.Attested, error) {
	if c.fault != nil {
		return evm.Attested{}, c.fault
	}
	if len(c.attested) == 0 {
		return evm.Attested{}, evm.ErrNoAnchor
	}
	return c.attested[len(c.attested)-1], nil
}

func (c *fakeChain) At(_ context.Context, nonce uint64) (evm.Attested, error) {
	for _, a := range c.attested {
		if a.Anchor.Nonce == nonce {
			return a, nil
		}
	}
	return evm.Attested{}, evm.ErrNoAnchor
}

func (c *fakeChain) Next(_ context.Context, valset [32]byte, nonce uint64) (evm.Attested, error) {
	for _, a := range slices.Backward(c.attested) {
		if a.Signers == valset && a.Anchor.Nonce > nonce {
			return a, nil
		}
	}
	return evm.Attested{}, evm.ErrNoAnchor
}

func (c *fakeChain) Valset(_ context.Context, hash [32]byte) (anchor.Valset, error) {
	if set, ok := c.sets[hash]; ok {
		return set, nil
	}
	return nil, evm.ErrNoAnchor
}

func (c *fakeChain) Consistency(_ context.Context, from, to uint64) ([][32]byte, error) {
	return log.ConsistencyProof(c.leaves, from, to)
}

// Newest is a block right after the newest anchor's.
func (c *fakeChain) Newest(context.Context) (evm.Newest, error) {
	return evm.Newest{
		Height: 10*uint64(len(c.attested)) + 5, Time: c.clock + 1, TreeSize: uint64(len(c.leaves)), Root: log.Root(c.leaves),
	}, nil
}

// world is a gpucoord chain, an EVM chain and a contract between them.
type world struct {
	t        *testing.T
	chain    *fakeChain
	backend  *simulated.Backend
	contract common.Address
	accounts []*key
	trusting uint32
}

// key is a purse in memory.
type key struct {
	raw     []byte
	address common.Address
}

func newKey(t *testing.T, seed byte) *key {
	t.Helper()
	raw := crypto.Keccak256([]byte{0xee, seed})
	k, err := crypto.ToECDSA(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &key{raw: raw, address: crypto.PubkeyToAddress(k.PublicKey)}
}

func (k *key) Address() common.Address { return k.address }

func (k *key) Sign(_ context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	private, err := crypto.ToECDSA(k.raw)
	if err != nil {
		return nil, err
	}
	return types.SignTx(tx, types.LatestSignerForChainID(chainID), private)
}

const ether = 1_000_000_000_000_000_000

// newWorld starts both chains with the rules of Osaka, deploys the contract and funds two relayers.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, chain: newFakeChain(t, 4), trusting: 14 * 24 * 3600}
	alloc := types.GenesisAlloc{}
	for i := range byte(3) {
		k := newKey(t, i)
		w.accounts = append(w.accounts, k)
		alloc[k.address] = types.Account{Balance: new(big.Int).Mul(big.NewInt(100), big.NewInt(ether))}
	}
	w.backend = simulated.NewBackend(alloc, func(_ *node.Config, e *ethconfig.Config) {
		rules := *e.Genesis.Config
		rules.BPO1Time, rules.BPO2Time, rules.AmsterdamTime = nil, nil, nil
		e.Genesis.Config = &rules
	})
	t.Cleanup(func() {
		if err := w.backend.Close(); err != nil {
			t.Error(err)
		}
	})
	w.backend.Commit() // the first block's time is 0
	w.contract = w.deploy(w.chain.origin)
	return w
}

func (w *world) deploy(origin [32]byte) common.Address {
	w.t.Helper()
	d, err := evm.Deploy(w.t.Context(), w.backend.Client(), w.accounts[2], evm.GweiLimits(0, 100, 100), evm.Deployment{
		Origin: origin, Valset: w.chain.current.Hash(), TrustingPeriod: w.trusting, Guardian: w.accounts[2].address,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.backend.Commit()
	if err := d.Wait(w.t.Context(), w.backend.Client(), time.Millisecond); err != nil {
		w.t.Fatal(err)
	}
	return d.Address
}

// config has everything on and nothing to wait for but resending.
func (w *world) config() evm.Config {
	return evm.Config{
		Name: "test", ChainID: 1337, Contract: w.contract, Limits: evm.GweiLimits(1, 100, 1000), Interval: time.Second, ResendAfter: time.Hour,
		Confirmations: 64, MaxLag: 10,
	}
}

// relayer returns an anchorer with account i.
func (w *world) relayer(i int, cfg evm.Config, clients ...evm.Client) *evm.Anchorer {
	if len(clients) == 0 {
		clients = []evm.Client{w.backend.Client()}
	}
	return evm.New(w.chain, clients, w.purse(i), cfg, slog.New(slog.DiscardHandler))
}

func (w *world) purse(i int) evm.OpenPurse {
	return func(context.Context) (evm.Purse, error) { return w.accounts[i], nil }
}

// step makes a pass of each.
func (w *world) step(relayers ...*evm.Anchorer) {
	w.t.Helper()
	for _, r := range relayers {
		if err := r.Step(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// state is what the contract holds now.
func (w *world) state() evm.State {
	w.t.Helper()
	s, err := evm.NewContract(w.contract).State(w.t.Context(), w.backend.Client(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// wantAnchor fails unless the contract's newest anchor is the one with this nonce of the chain.
func (w *world) wantAnchor(nonce uint64) {
	w.t.Helper()
	s := w.state()
	if s.Nonce != nonce {
		w.t.Fatalf("contract is at nonce %d, want %d", s.Nonce, nonce)
	}
	own, err := w.chain.At(w.t.Context(), nonce)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.Held != own.Anchor.StructHash() {
		w.t.Fatalf("contract holds %x for nonce %d, the chain %x", s.Held, nonce, own.Anchor.StructHash())
	}
}

// spent is how many transactions an account has had in blocks.
func (w *world) spent(i int) uint64 {
	w.t.Helper()
	n, err := w.backend.Client().NonceAt(w.t.Context(), w.accounts[i].address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
