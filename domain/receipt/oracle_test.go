// SPDX-License-Identifier: Apache-2.0

package receipt_test

import (
	"errors"
	"math/big"
	"strings"

	"golang.org/x/crypto/sha3"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// The oracles below are plain implementations from the published formats: EIP-712 driven by the type string, and ECDSA recovery in
// affine coordinates with math/big.

func keccak(parts ...[]byte) [32]byte {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

const (
	domainType  = "EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"
	jobAuthType = "JobAuth(address payer,address operator,bytes32 modelId,bytes32 adapterId,bytes32 requestCommit,bytes32 paymentRef,uint64 maxAmount,uint64 reservationId,uint64 nonce,uint64 issuedAt,uint64 expiresAt)"
	receiptType = "Receipt(bytes32 jobId,address payer,address operator,bytes32 hostId,bytes32 modelId,bytes32 adapterId,bytes32 paymentRef,uint64 epoch,uint64 seq,uint8 outcome,uint64 promptTokens,uint64 cachedTokens,uint64 outputTokens,uint64 amount,uint64 servedAt,uint32 ttftMs,uint32 durationMs,bytes32 outputCommit,bytes32 execCommit,bytes32 attestRef)"
)

// encodeTyped encodes a struct of static members and strings by its type string.
func encodeTyped(typ string, members map[string]any) []byte {
	typeHash := keccak([]byte(typ))
	out := typeHash[:]
	list := typ[strings.Index(typ, "(")+1 : len(typ)-1]
	for _, member := range strings.Split(list, ",") {
		kind, name, _ := strings.Cut(member, " ")
		var word [32]byte
		switch v := members[name].(type) {
		case string:
			word = keccak([]byte(v))
		case [32]byte:
			word = v
		case [20]byte:
			copy(word[12:], v[:])
		case uint64:
			new(big.Int).SetUint64(v).FillBytes(word[:])
		default:
			panic("no value for " + kind + " " + name)
		}
		out = append(out, word[:]...)
	}
	return out
}

func typedDigest(separator [32]byte, encoded []byte) [32]byte {
	structHash := keccak(encoded)
	return keccak([]byte{0x19, 0x01}, separator[:], structHash[:])
}

func domainMembers(d receipt.Domain) map[string]any {
	return map[string]any{"name": "gpucoord", "version": "1", "chainId": d.ChainID(), "salt": d.Salt()}
}

func jobAuthMembers(a *receipt.JobAuth) map[string]any {
	return map[string]any{
		"payer": a.Payer, "operator": a.Operator, "modelId": a.ModelID, "adapterId": a.AdapterID, "requestCommit": a.RequestCommit,
		"paymentRef": a.PaymentRef, "maxAmount": a.MaxAmount, "reservationId": a.ReservationID, "nonce": a.Nonce,
		"issuedAt": a.IssuedAt, "expiresAt": a.ExpiresAt,
	}
}

func receiptMembers(r *receipt.Record, jobID [32]byte) map[string]any {
	return map[string]any{
		"jobId": jobID, "payer": r.Auth.Payer, "operator": r.Auth.Operator, "hostId": r.HostID, "modelId": r.Auth.ModelID,
		"adapterId": r.Auth.AdapterID, "paymentRef": r.Auth.PaymentRef, "epoch": r.Epoch, "seq": r.Seq, "outcome": uint64(r.Outcome),
		"promptTokens": r.PromptTokens, "cachedTokens": r.CachedTokens, "outputTokens": r.OutputTokens, "amount": r.Amount,
		"servedAt": r.ServedAt, "ttftMs": uint64(r.TTFTMs), "durationMs": uint64(r.DurationMs), "outputCommit": r.OutputCommit,
		"execCommit": r.ExecCommit, "attestRef": r.AttestRef,
	}
}

func hexInt(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic(s)
	}
	return n
}

var (
	fieldP = hexInt("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
	orderN = hexInt("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	baseG  = &point{
		hexInt("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
		hexInt("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"),
	}
)

// point is an affine point; nil is infinity.
type point struct{ x, y *big.Int }

func add(a, b *point) *point {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	slope := new(big.Int)
	if a.x.Cmp(b.x) == 0 {
		if new(big.Int).Mod(new(big.Int).Add(a.y, b.y), fieldP).Sign() == 0 {
			return nil
		}
		slope.Mul(big.NewInt(3), new(big.Int).Mul(a.x, a.x))
		slope.Mul(slope, new(big.Int).ModInverse(new(big.Int).Lsh(a.y, 1), fieldP))
	} else {
		run := new(big.Int).Sub(b.x, a.x)
		slope.Sub(b.y, a.y).Mul(slope, run.ModInverse(run.Mod(run, fieldP), fieldP))
	}
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, a.x).Sub(x, b.x).Mod(x, fieldP)
	y := new(big.Int).Sub(a.x, x)
	y.Mul(y, slope).Sub(y, a.y).Mod(y, fieldP)
	return &point{x, y}
}

func multiply(k *big.Int, p *point) *point {
	var sum *point
	for i := k.BitLen() - 1; i >= 0; i-- {
		sum = add(sum, sum)
		if k.Bit(i) == 1 {
			sum = add(sum, p)
		}
	}
	return sum
}

var errNoKey = errors.New("no key")

// slowRecover is SEC 1 4.1.6 for a signature that is canonical.
func slowRecover(digest [32]byte, sig [65]byte) ([20]byte, error) {
	r, s, e := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64]), new(big.Int).SetBytes(digest[:])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(orderN) >= 0 {
		return [20]byte{}, errNoKey
	}
	square := new(big.Int).Exp(r, big.NewInt(3), fieldP)
	square.Add(square, big.NewInt(7)).Mod(square, fieldP)
	y := new(big.Int).ModSqrt(square, fieldP)
	if y == nil {
		return [20]byte{}, errNoKey
	}
	if y.Bit(0) != uint(sig[64]-27) {
		y.Sub(fieldP, y)
	}
	inverse := new(big.Int).ModInverse(r, orderN)
	u1 := new(big.Int).Mul(e.Neg(e), inverse)
	u2 := new(big.Int).Mul(s, inverse)
	q := add(multiply(u1.Mod(u1, orderN), baseG), multiply(u2.Mod(u2, orderN), &point{r, y}))
	if q == nil {
		return [20]byte{}, errNoKey
	}
	var public [64]byte
	q.x.FillBytes(public[:32])
	q.y.FillBytes(public[32:])
	hash := keccak(public[:])
	return [20]byte(hash[12:]), nil
}
