// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	comet "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"

	sdklog "cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/log"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/verify"
	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

const (
	chainID    = "gpucoord-test-1"
	evmChainID = 8453
	height     = 1001
	logSize    = 57
	anchorSize = 41
	leafIndex  = 29
	// storeFiller entries beside those proven make proofs of a usual depth.
	storeFiller = 500
)

var (
	genesisTime = time.Unix(1_700_000_000, 0).UTC()
	headerTime  = genesisTime.Add(2 * time.Hour)
	now         = headerTime.Add(time.Hour)
	origin      = anchor.OriginID(chainID, genesisTime.Unix(), 0, 1, []byte("{}"))
)

// world is a chain made in memory, of which one receipt is proven. Tests change a part of it before it is put into a bundle.
type world struct {
	powers     []int64
	record     receipt.Record
	anchor     anchor.Anchor
	origin     [32]byte
	header     comet.Header
	evmChainID uint64

	validators *comet.ValidatorSet
	keys       map[string]ed25519.PrivKey
	members    anchor.Valset
	signers    []*receipt.PrivateKey // in the order of members
	leaves     [][]byte
	opening    sumtree.Opening
	group      verify.Group
	commit     *comet.Commit
}

func secp(label string) *receipt.PrivateKey {
	seed := sha256.Sum256([]byte("throwaway " + label))
	key, err := receipt.ParsePrivateKey(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// newWorld makes a chain with validators of these powers.
func newWorld(powers ...int64) *world {
	w := &world{powers: powers, origin: origin, evmChainID: evmChainID}
	w.makeValidators("")
	w.makeRecord()
	w.makeClaim(700)
	w.anchorLog()
	w.header = comet.Header{
		Version: cmtversion.Consensus{Block: 11}, ChainID: chainID, Height: height, Time: headerTime,
		LastBlockID: comet.BlockID{
			Hash: bytes.Repeat([]byte{3}, 32), PartSetHeader: comet.PartSetHeader{Total: 1, Hash: bytes.Repeat([]byte{4}, 32)},
		},
		LastCommitHash: bytes.Repeat([]byte{5}, 32), DataHash: bytes.Repeat([]byte{6}, 32),
		ConsensusHash: bytes.Repeat([]byte{7}, 32), LastResultsHash: bytes.Repeat([]byte{8}, 32), EvidenceHash: bytes.Repeat([]byte{9}, 32),
		ValidatorsHash: w.validators.Hash(), NextValidatorsHash: w.validators.Hash(), ProposerAddress: w.validators.Validators[0].Address,
	}
	return w
}

// anchorLog has the anchor state the log as it is now.
func (w *world) anchorLog() {
	w.anchor = anchor.Anchor{
		Nonce: 7, Height: 900, Time: uint64(headerTime.Add(-10 * time.Minute).Unix()), TreeSize: anchorSize,
		Root: log.Root(leafHashes(w.leaves[:anchorSize])), NextValset: w.members.Hash(),
	}
}

func (w *world) makeValidators(salt string) {
	var all []*comet.Validator
	w.keys = map[string]ed25519.PrivKey{}
	byAddress := map[[20]byte]*receipt.PrivateKey{}
	w.members = nil
	for i, power := range w.powers {
		key := ed25519.GenPrivKeyFromSecret(fmt.Appendf(nil, "validator %d %s", i, salt))
		w.keys[string(key.PubKey().Address())] = key
		all = append(all, comet.NewValidator(key.PubKey(), power))
		anchorKey := secp(fmt.Sprint("anchor ", i, salt))
		address := receipt.KeyAddress(anchorKey)
		byAddress[address] = anchorKey
		w.members = append(w.members, anchor.Member{Address: address, Power: uint64(power)})
	}
	w.validators = must(comet.ValidatorSetFromExistingValidators(all))
	w.members.Sort()
	w.signers = nil
	for _, m := range w.members {
		w.signers = append(w.signers, byAddress[m.Address])
	}
}

func (w *world) makeRecord() {
	w.record = receipt.Record{
		Auth: receipt.JobAuth{
			Payer: receipt.KeyAddress(secp("payer")), Operator: receipt.KeyAddress(secp("host")),
			ModelID: [32]byte{1}, AdapterID: [32]byte{2}, RequestCommit: [32]byte{3}, PaymentRef: [32]byte{4},
			MaxAmount: 1_000_000, Nonce: 77, IssuedAt: 1_700_000_000, ExpiresAt: 1_700_003_600,
		},
		HostID: [32]byte{5}, Epoch: 9, Seq: 1024, Outcome: receipt.OutcomeOK,
		PromptTokens: 1200, CachedTokens: 1024, OutputTokens: 350, Amount: 520, ServedAt: 1_700_000_010,
		TTFTMs: 210, DurationMs: 4200, OutputCommit: [32]byte{6}, ExecCommit: [32]byte{7}, Countersigned: true,
	}
	w.signRecord()
}

// signRecord signs the record as it is now.
func (w *world) signRecord() {
	d := receipt.NewDomain(chainID, evmChainID)
	r := &w.record
	digest := r.Digest(d)
	r.SigPayer, r.SigOperator = receipt.Sign(secp("payer"), r.JobID(d)), receipt.Sign(secp("host"), digest)
	if r.Countersigned {
		r.SigFinal = receipt.Sign(secp("payer"), digest)
	}
}

// makeClaim puts the record in the middle of a group of n, the group in a batch of three, and the batch into the log.
func (w *world) makeClaim(n int) {
	sr1 := w.record.AppendSR1(nil)
	leaves := make([]sumtree.Leaf, n)
	for i := range leaves {
		leaves[i] = sumtree.Leaf{
			Seq: w.record.Seq - uint64(n/2) + uint64(i), JobID: sha256.Sum256([]byte{byte(i), byte(i >> 8)}), Amount: 5, Tokens: 6, OK: 1,
		}
	}
	leaves[n/2] = must(sumtree.LeafOf(&w.record, w.record.JobID(receipt.NewDomain(chainID, evmChainID)), sr1))
	tree := must(sumtree.Build(leaves))
	w.opening = must(tree.Open(uint64(n / 2)))
	groups := make([]sumtree.Group, 3)
	for i := range groups {
		groups[i] = sumtree.Group{
			Operator: w.record.Auth.Operator, HostID: w.record.HostID, Settler: [20]byte{byte(i + 1)},
			ModelID: w.record.Auth.ModelID, AdapterID: w.record.Auth.AdapterID,
			Count: uint64(n), FirstSeq: leaves[0].Seq, LastSeq: leaves[n-1].Seq, Root: tree.Root(),
		}
	}
	batch := must(sumtree.BatchOf(groups))
	g := groups[1]
	w.group = verify.Group{
		Index: 1, HostKey: g.Operator[:], Settler: g.Settler[:], ModelID: g.ModelID[:], AdapterID: g.AdapterID[:], Count: g.Count, FirstSeq: g.FirstSeq,
		LastSeq: g.LastSeq, Root: g.Root.Append(nil), Path: join(must(sumtree.GroupPath(groups, 1))),
	}
	w.leaves = nil
	for i := range logSize {
		w.leaves = append(w.leaves, log.EpochLeaf(uint64(i), [32]byte{1}, [32]byte{2}, [32]byte{3}, 0))
	}
	w.leaves[leafIndex] = log.BatchLeaf(4711, [20]byte{77}, g.HostID, w.record.Epoch, batch.Count, batch.Amount, batch.Root)
}

func leafHashes(leaves [][]byte) [][32]byte {
	out := make([][32]byte, len(leaves))
	for i, data := range leaves {
		out[i] = log.LeafHash(data)
	}
	return out
}

func join(hashes [][32]byte) (b []byte) {
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// stateProofs commits the state to a real multistore of about the size of the chain's and returns its proofs.
func (w *world) stateProofs() (proofs []verify.StoreProof, appHash []byte) {
	store := rootmulti.NewStore(dbm.NewMemDB(), sdklog.NewNopLogger())
	names := []string{anchorstypes.StoreKey, operatorstypes.StoreKey}
	for i := range 16 {
		names = append(names, fmt.Sprint("module", i))
	}
	keys := map[string]*storetypes.KVStoreKey{}
	for _, name := range names {
		keys[name] = storetypes.NewKVStoreKey(name)
		store.MountStoreWithDB(keys[name], storetypes.StoreTypeIAVL, nil)
	}
	must(0, store.LoadLatestVersion())
	for _, name := range names {
		for i := range storeFiller {
			store.GetKVStore(keys[name]).Set(binary.BigEndian.AppendUint32([]byte{200}, uint32(i)), []byte{byte(i)})
		}
	}
	wanted := verify.StateKeys(w.members.Hash())
	for i, value := range w.stateValues() {
		store.GetKVStore(keys[wanted[i].Store]).Set(wanted[i].Key, value)
	}
	appHash = store.Commit().Hash
	for _, k := range wanted {
		response := must(store.Query(&storetypes.RequestQuery{Path: "/" + k.Store + "/key", Data: k.Key, Prove: true, Height: 1}))
		proofs = must(verify.AddStateProof(proofs, k.Store, response.ProofOps))
	}
	return proofs, appHash
}

func (w *world) stateValues() [][]byte {
	var r log.Range
	for _, h := range leafHashes(w.leaves) {
		must(0, r.Append(h))
	}
	state := anchorstypes.LogState{Size_: r.Size}
	for _, h := range r.Hashes {
		state.Hashes = append(state.Hashes, h[:])
	}
	set := anchorstypes.Valset{}
	for _, m := range w.members {
		set.Members = append(set.Members, anchorstypes.Member{Address: m.Address[:], Power: m.Power})
	}
	params := operatorstypes.DefaultParams()
	params.EvmChainId = w.evmChainID
	return [][]byte{must(state.Marshal()), w.origin[:], must(set.Marshal()), must(params.Marshal())}
}

// commitTo has every validator sign the header.
func (w *world) commitTo(header *comet.Header) *comet.Commit {
	id := comet.BlockID{Hash: header.Hash(), PartSetHeader: comet.PartSetHeader{Total: 1, Hash: bytes.Repeat([]byte{1}, 32)}}
	commit := &comet.Commit{Height: header.Height, BlockID: id}
	for i, v := range w.validators.Validators {
		vote := comet.Vote{
			Type: 2, Height: header.Height, BlockID: id, Timestamp: header.Time.Add(time.Duration(i) * time.Millisecond),
			ValidatorAddress: v.Address, ValidatorIndex: int32(i),
		}
		signature := must(w.keys[string(v.Address)].Sign(comet.VoteSignBytes(header.ChainID, vote.ToProto())))
		commit.Signatures = append(commit.Signatures, comet.CommitSig{
			BlockIDFlag: comet.BlockIDFlagCommit, ValidatorAddress: v.Address, Timestamp: vote.Timestamp, Signature: signature,
		})
	}
	return commit
}

// sign returns the anchor with the fewest signatures that hold more than two thirds.
func (w *world) sign() verify.Anchor {
	digest := anchor.NewDomain(w.origin).Digest(w.anchor)
	var signed []anchor.Signed
	for i, key := range w.signers {
		signed = append(signed, anchor.Signed{Member: i, Signature: receipt.Sign(key, digest)})
	}
	bitmap, signatures, err := w.members.Quorum(signed)
	if err != nil {
		panic(err)
	}
	return verify.EncodeAnchor(w.anchor, bitmap, signatures)
}

// bundle puts the world into a bundle.
func (w *world) bundle() *verify.Bundle {
	state, appHash := w.stateProofs()
	w.header.AppHash = appHash
	w.commit = w.commitTo(&w.header)
	hashes := leafHashes(w.leaves)
	return &verify.Bundle{
		Format: verify.Format, ChainID: w.header.ChainID, OriginID: bytes.Clone(w.origin[:]),
		Record: w.record.AppendSR1(nil), Opening: w.opening.Append(nil), Group: w.group,
		Leaf:   verify.Leaf{Index: leafIndex, Data: w.leaves[leafIndex], Path: join(must(log.InclusionProof(hashes, leafIndex, anchorSize)))},
		Anchor: w.sign(), LogConsistency: join(must(log.ConsistencyProof(hashes, anchorSize, logSize))), State: state,
		Header: must(verify.EncodeHeader(&w.header)), Commit: must(verify.EncodeCommit(w.commit, w.validators)),
		Validators: must(verify.EncodeValidators(w.validators)),
	}
}

// base is a world of four equal validators and its bundle, which tests copy.
var base = sync.OnceValues(func() (*world, []byte) {
	w := newWorld(10, 10, 10, 10)
	return w, must(w.bundle().Encode())
})

// baseBundle returns a copy of the base bundle, and what to trust.
func baseBundle() (*verify.Bundle, verify.Trust) {
	w, text := base()
	return must(verify.Decode(text)), w.trust()
}

func (w *world) trust() verify.Trust {
	return verify.Trust{Height: height, Hash: [32]byte(w.header.Hash())}
}

func check(tb testing.TB, b *verify.Bundle, options verify.Options) *verify.Report {
	tb.Helper()
	if options.Now.IsZero() {
		options.Now = now
	}
	return verify.Verify(tb.Context(), must(b.Encode()), options)
}

func show(tb testing.TB, r *verify.Report) string {
	tb.Helper()
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		tb.Fatal(err)
	}
	return text.String()
}
