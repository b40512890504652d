// SPDX-License-Identifier: Apache-2.0

package receipt_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gpucoord/gpucoord/domain/internal/vectortest"
	"github.com/gpucoord/gpucoord/domain/receipt"
)

type vectorJobAuth struct {
	Payer, Operator                                      vectortest.Address
	ModelID, AdapterID, RequestCommit, PaymentRef        vectortest.Hash
	MaxAmount, ReservationID, Nonce, IssuedAt, ExpiresAt vectortest.Uint64
}

type vectorReceipt struct {
	JobID                                            vectortest.Hash
	Payer, Operator                                  vectortest.Address
	HostID, ModelID, AdapterID, PaymentRef           vectortest.Hash
	Epoch, Seq                                       vectortest.Uint64
	Outcome                                          uint8
	PromptTokens, CachedTokens, OutputTokens, Amount vectortest.Uint64
	ServedAt                                         vectortest.Uint64
	TTFTMs, DurationMs                               uint32
	OutputCommit, ExecCommit, AttestRef              vectortest.Hash
}

type vectorValid struct {
	Name, Chain                                                string
	Flags                                                      uint8
	JobAuth                                                    vectorJobAuth
	Receipt                                                    vectorReceipt
	JobAuthEncoded, ReceiptEncoded, SR1                        vectortest.Bytes
	JobAuthStructHash, JobID, ReceiptStructHash, ReceiptDigest vectortest.Hash
	SigPayer, SigOperator, SigFinal                            vectortest.Bytes
	SR1Length                                                  int
	SR1Sha256                                                  vectortest.Hash
	LeafError                                                  string
	Leaf                                                       json.RawMessage // checked by package sumtree
}

type vectorFile struct {
	Note           string
	Rules          []string
	Types          map[string]string
	TypeHashes     map[string]vectortest.Hash
	SR1Length      int
	SR1LengthFinal int
	MaxLowS        vectortest.Hash
	Keys           []struct {
		Label                 string
		PrivateKey, PublicKey vectortest.Bytes
		Address               vectortest.Address
	}
	Chains []struct {
		Name, CometChainID    string
		ChainID               vectortest.Uint64
		Salt, DomainSeparator vectortest.Hash
		DomainEncoded         vectortest.Bytes
	}
	Valid   []vectorValid
	Invalid []struct {
		Name, Chain, Error string
		SR1                vectortest.Bytes
	}
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	var file vectorFile
	vectortest.Read(t, "receipts.json", &file)
	return file
}

// record builds the record from the vector's members, not from its bytes.
func (v *vectorValid) record() receipt.Record {
	r := receipt.Record{
		Auth: receipt.JobAuth{
			Payer: v.JobAuth.Payer, Operator: v.JobAuth.Operator, ModelID: v.JobAuth.ModelID, AdapterID: v.JobAuth.AdapterID,
			RequestCommit: v.JobAuth.RequestCommit, PaymentRef: v.JobAuth.PaymentRef, MaxAmount: uint64(v.JobAuth.MaxAmount),
			ReservationID: uint64(v.JobAuth.ReservationID), Nonce: uint64(v.JobAuth.Nonce), IssuedAt: uint64(v.JobAuth.IssuedAt),
			ExpiresAt: uint64(v.JobAuth.ExpiresAt),
		},
		HostID: v.Receipt.HostID, Epoch: uint64(v.Receipt.Epoch), Seq: uint64(v.Receipt.Seq), Outcome: receipt.Outcome(v.Receipt.Outcome),
		PromptTokens: uint64(v.Receipt.PromptTokens), CachedTokens: uint64(v.Receipt.CachedTokens),
		OutputTokens: uint64(v.Receipt.OutputTokens), Amount: uint64(v.Receipt.Amount), ServedAt: uint64(v.Receipt.ServedAt),
		TTFTMs: v.Receipt.TTFTMs, DurationMs: v.Receipt.DurationMs, OutputCommit: v.Receipt.OutputCommit,
		ExecCommit: v.Receipt.ExecCommit, AttestRef: v.Receipt.AttestRef, Countersigned: v.Flags == 1,
	}
	copy(r.SigPayer[:], v.SigPayer)
	copy(r.SigOperator[:], v.SigOperator)
	copy(r.SigFinal[:], v.SigFinal)
	return r
}

func vectorDomains(t testing.TB, file *vectorFile) map[string]receipt.Domain {
	t.Helper()
	domains := map[string]receipt.Domain{}
	for _, c := range vectortest.All(t, "chains", file.Chains) {
		domains[c.Name] = receipt.NewDomain(c.CometChainID, uint64(c.ChainID))
	}
	return domains
}

func TestConstantsVectors(t *testing.T) {
	file := readVectors(t)
	if file.SR1Length != receipt.Size || file.SR1LengthFinal != receipt.SizeCountersigned {
		t.Errorf("record sizes %d and %d", file.SR1Length, file.SR1LengthFinal)
	}
	errs := []error{
		receipt.ErrBadLength, receipt.ErrBadVersion, receipt.ErrBadFlags, receipt.ErrBadOutcome, receipt.ErrAmountOverMax,
		receipt.ErrAmountNotAllowed, receipt.ErrTimeOrder, receipt.ErrCachedOverPrompt, receipt.ErrHighS, receipt.ErrBadV,
		receipt.ErrBadPayerSig, receipt.ErrBadOperatorSig, receipt.ErrBadFinalSig,
	}
	if len(vectortest.All(t, "rules", file.Rules)) != len(errs) {
		t.Fatalf("%d rules, %d sentinels", len(file.Rules), len(errs))
	}
	for i, want := range file.Rules {
		if got := receipt.RuleName(errs[i]); got != want {
			t.Errorf("rule %d: got %q, want %q", i+1, got, want)
		}
	}
	for name, typ := range map[string]string{"domain": domainType, "jobAuth": jobAuthType, "receipt": receiptType} {
		if file.Types[name] != typ || keccak([]byte(typ)) != file.TypeHashes[name] {
			t.Errorf("type %s: %q", name, file.Types[name])
		}
	}
	if len(file.Types) != 3 || len(file.TypeHashes) != 3 {
		t.Errorf("%d types, %d type hashes", len(file.Types), len(file.TypeHashes))
	}
	// The largest low s passes the form rules, the next number does not.
	var sig [65]byte
	sig[31], sig[64] = 1, 27
	copy(sig[32:], file.MaxLowS[:])
	if _, err := receipt.RecoverAddress([32]byte{1}, sig); err != nil {
		t.Errorf("largest low s: %v", err)
	}
	sig[63]++
	if _, err := receipt.RecoverAddress([32]byte{1}, sig); err != receipt.ErrHighS {
		t.Errorf("smallest high s: %v", err)
	}
}

func TestKeysVectors(t *testing.T) {
	file := readVectors(t)
	for _, k := range vectortest.All(t, "keys", file.Keys) {
		label := sha256.Sum256([]byte(k.Label))
		if !bytes.Equal(label[:], k.PrivateKey) {
			t.Errorf("%s: private key is not the hash of the label", k.Label)
		}
		key, err := receipt.ParsePrivateKey(k.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		if got := key.PubKey().SerializeCompressed(); !bytes.Equal(got, k.PublicKey) {
			t.Errorf("%s: public key %x", k.Label, got)
		}
		if got := receipt.KeyAddress(key); got != k.Address {
			t.Errorf("%s: address %x", k.Label, got)
		}
		if got, err := receipt.AddressOfCompressed(k.PublicKey); err != nil || got != k.Address {
			t.Errorf("%s: address of the compressed key %x, %v", k.Label, got, err)
		}
	}
}

func TestChainsVectors(t *testing.T) {
	file := readVectors(t)
	for _, c := range vectortest.All(t, "chains", file.Chains) {
		d := receipt.NewDomain(c.CometChainID, uint64(c.ChainID))
		if d.Salt() != c.Salt || d.Separator() != c.DomainSeparator || d.ChainID() != uint64(c.ChainID) {
			t.Errorf("%s: salt %x, separator %x, chain id %d", c.Name, d.Salt(), d.Separator(), d.ChainID())
		}
		if got := encodeTyped(domainType, domainMembers(d)); !bytes.Equal(got, c.DomainEncoded) {
			t.Errorf("%s: encoded domain %x", c.Name, got)
		}
	}
}

func TestValidVectors(t *testing.T) {
	file := readVectors(t)
	domains := vectorDomains(t, &file)
	keys := map[[20]byte]*receipt.PrivateKey{}
	for _, k := range vectortest.All(t, "keys", file.Keys) {
		key, err := receipt.ParsePrivateKey(k.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		keys[k.Address] = key
	}
	for _, v := range vectortest.All(t, "valid", file.Valid) {
		t.Run(v.Name, func(t *testing.T) {
			d, r := domains[v.Chain], v.record()
			checkValidHashes(t, &v, d, &r)
			for _, s := range []struct {
				who    [20]byte
				digest [32]byte
				want   []byte
			}{
				{r.Auth.Payer, v.JobID, v.SigPayer},
				{r.Auth.Operator, v.ReceiptDigest, v.SigOperator},
				{r.Auth.Payer, v.ReceiptDigest, v.SigFinal},
			} {
				if len(s.want) == 0 {
					continue
				}
				if got := receipt.Sign(keys[s.who], s.digest); !bytes.Equal(got[:], s.want) {
					t.Errorf("signature %x, want %x", got, s.want)
				}
			}
			got, err := receipt.Checker{Domain: d}.Check(v.SR1)
			if err != nil || got != r {
				t.Errorf("check: %v, %+v", err, got)
			}
			jobID, digest, err := receipt.Checker{Domain: d}.CheckRecord(&r)
			if err != nil || jobID != v.JobID || digest != v.ReceiptDigest {
				t.Errorf("check record: %x, %x, %v", jobID, digest, err)
			}
		})
	}
}

func checkValidHashes(t *testing.T, v *vectorValid, d receipt.Domain, r *receipt.Record) {
	t.Helper()
	if v.Receipt.JobID != v.JobID || v.Receipt.Payer != v.JobAuth.Payer || v.Receipt.Operator != v.JobAuth.Operator ||
		v.Receipt.ModelID != v.JobAuth.ModelID || v.Receipt.AdapterID != v.JobAuth.AdapterID || v.Receipt.PaymentRef != v.JobAuth.PaymentRef {
		t.Error("the vector's objects differ in a shared member")
	}
	sr1 := r.AppendSR1(nil)
	if !bytes.Equal(sr1, v.SR1) || len(sr1) != v.SR1Length || sha256.Sum256(sr1) != v.SR1Sha256 {
		t.Errorf("record %x", sr1)
	}
	if got, err := receipt.Decode(v.SR1); err != nil || got != *r {
		t.Errorf("decoded %+v, %v", got, err)
	}
	if got, err := receipt.DecodeJobAuth(v.SR1[2:210]); err != nil || got != r.Auth {
		t.Errorf("decoded authorisation %+v, %v", got, err)
	}
	if got := r.Auth.AppendWire(nil); !bytes.Equal(got, v.SR1[2:210]) {
		t.Errorf("wire authorisation %x", got)
	}
	encodedAuth := encodeTyped(jobAuthType, jobAuthMembers(&r.Auth))
	if !bytes.Equal(encodedAuth, v.JobAuthEncoded) || keccak(encodedAuth) != v.JobAuthStructHash {
		t.Errorf("encoded authorisation %x", encodedAuth)
	}
	encodedReceipt := encodeTyped(receiptType, receiptMembers(r, v.JobID))
	if !bytes.Equal(encodedReceipt, v.ReceiptEncoded) || keccak(encodedReceipt) != v.ReceiptStructHash {
		t.Errorf("encoded receipt %x", encodedReceipt)
	}
	if got := r.JobID(d); got != v.JobID {
		t.Errorf("job id %x", got)
	}
	if got := r.Digest(d); got != v.ReceiptDigest {
		t.Errorf("receipt digest %x", got)
	}
}

func TestInvalidVectors(t *testing.T) {
	file := readVectors(t)
	domains := vectorDomains(t, &file)
	seen := map[string]bool{}
	for _, v := range vectortest.All(t, "invalid", file.Invalid) {
		t.Run(v.Name, func(t *testing.T) {
			for name, recovery := range map[string]receipt.Recover{"default": nil, "oracle": slowRecover} {
				got, err := receipt.Checker{Domain: domains[v.Chain], Recover: recovery}.Check(v.SR1)
				if receipt.RuleName(err) != v.Error || got != (receipt.Record{}) {
					t.Errorf("%s recovery: got %v, want %s", name, err, v.Error)
				}
			}
		})
		seen[v.Error] = true
	}
	for _, rule := range file.Rules {
		if !seen[rule] {
			t.Errorf("no vector fails rule %s", rule)
		}
	}
}

func TestCommitsVectors(t *testing.T) {
	var file struct {
		Note string
		Exec []struct {
			RuntimeID, SamplingHash   vectortest.Hash
			Seed                      vectortest.Uint64
			PromptTokHash, OutTokHash vectortest.Hash
			EvKind                    uint8
			EvRoot                    vectortest.Hash
			Preimage                  vectortest.Bytes
			ExecCommit                vectortest.Hash
		}
		Capacity []struct {
			CometChainID  string
			Salt          vectortest.Hash
			Epoch         vectortest.Uint64
			BlockHash     vectortest.Hash
			Operator      vectortest.Address
			ReceiptPubKey vectortest.Bytes
			Preimage      vectortest.Bytes
			Nonce         vectortest.Hash
			GPUs          []struct {
				GPUIndex uint32
				Preimage vectortest.Bytes
				Nonce    vectortest.Hash
			}
		}
	}
	vectortest.Read(t, "commits.json", &file)
	for i, v := range vectortest.All(t, "exec", file.Exec) {
		e := receipt.ExecCommit{
			RuntimeID: v.RuntimeID, SamplingHash: v.SamplingHash, Seed: uint64(v.Seed), PromptTokHash: v.PromptTokHash,
			OutTokHash: v.OutTokHash, EvKind: v.EvKind, EvRoot: v.EvRoot,
		}
		if e.Hash() != v.ExecCommit || sha256.Sum256(v.Preimage) != v.ExecCommit {
			t.Errorf("exec %d: %x", i, e.Hash())
		}
	}
	for i, v := range vectortest.All(t, "capacity", file.Capacity) {
		salt := receipt.NewDomain(v.CometChainID, 1).Salt()
		if salt != v.Salt {
			t.Errorf("capacity %d: salt %x", i, salt)
		}
		nonce := receipt.CapacityNonce(salt, uint64(v.Epoch), v.BlockHash, v.Operator, [33]byte(v.ReceiptPubKey))
		if nonce != v.Nonce || sha256.Sum256(v.Preimage) != v.Nonce {
			t.Errorf("capacity %d: nonce %x", i, nonce)
		}
		if got, err := receipt.AddressOfCompressed(v.ReceiptPubKey); err != nil || got != v.Operator {
			t.Errorf("capacity %d: address %x, %v", i, got, err)
		}
		for _, g := range vectortest.All(t, "gpus", v.GPUs) {
			if got := receipt.GPUNonce(nonce, g.GPUIndex); got != g.Nonce || sha256.Sum256(g.Preimage) != g.Nonce {
				t.Errorf("capacity %d, GPU %d: nonce %x", i, g.GPUIndex, got)
			}
		}
	}
}

func TestPaymentRefsVectors(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "payment_refs.json"))
	if err != nil {
		t.Fatal(err)
	}
	var refs []struct {
		Kind, Preimage string
		PaymentRef     vectortest.Hash `json:"payment_ref"`
	}
	if err := json.Unmarshal(data, &refs); err != nil {
		t.Fatal(err)
	}
	aleph, err := receipt.AlephCredit("098ef6bd44166345d753fe28430309d1e94cf066d798ebb74f628ad99cc0c6b8",
		"5dc06d1bc353e0f1a81469581f05d4198fe2a0d87ff865c423264b4f14864fee")
	if err != nil {
		t.Fatal(err)
	}
	libertai, err := receipt.LibertAICredit("6f3b1f5e-0000-4000-8000-000000000001", 900001)
	if err != nil {
		t.Fatal(err)
	}
	usdc, payer := address(t, "833589fcd6edb6e08f4c7c32d4f71b54bda02913"), address(t, "1beead277a17d92dcd3737a1215c460603fc4b22")
	built := map[string]string{
		"X402_EIP3009": receipt.X402EIP3009(8453, usdc, payer,
			hash(t, "1cc60bf971a4119df9d83fa1ba6dba406a12fbc8f2679e773f38ef93bc9a2429")),
		"X402_PERMIT2": receipt.X402Permit2(8453, usdc, payer,
			hash(t, "433c194e5842997d87ca6d09a26ee4273ff5df8fe272566572b9a73e2f8a87ad")),
		"X402_ERC2612":    receipt.X402ERC2612(8453, usdc, payer, [32]byte{31: 7}),
		"ALEPH_CREDIT":    aleph,
		"LIBERTAI_CREDIT": libertai,
	}
	for _, ref := range vectortest.All(t, "payment_refs", refs) {
		if built[ref.Kind] != ref.Preimage {
			t.Errorf("%s: built %q, want %q", ref.Kind, built[ref.Kind], ref.Preimage)
		}
		if got := receipt.PaymentRef(ref.Preimage); got != ref.PaymentRef {
			t.Errorf("%s: got %x", ref.Kind, got)
		}
		delete(built, ref.Kind)
	}
	if len(built) != 0 {
		t.Errorf("kinds without a vector: %v", built)
	}
}

func hash(t testing.TB, s string) [32]byte {
	t.Helper()
	return [32]byte(unhex(t, s, 32))
}

func address(t testing.TB, s string) [20]byte {
	t.Helper()
	return [20]byte(unhex(t, s, 20))
}

func unhex(t testing.TB, s string, size int) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != size {
		t.Fatalf("%q: %d bytes, %v", s, len(b), err)
	}
	return b
}
