// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

func rootKey(t *testing.T) *receipt.PrivateKey {
	t.Helper()
	sum := sha256.Sum256([]byte("root"))
	key, err := receipt.ParsePrivateKey(sum[:])
	require.NoError(t, err)
	return key
}

// statement is evidence signed by the root key.
func statement(t *testing.T, scheme byte) []byte {
	t.Helper()
	s := types.Statement{EvidenceBinding: types.EvidenceBinding{
		ChainSalt: [32]byte{1}, HostKey: [20]byte{2}, NonceHeight: 3, BlockHash: [32]byte{4}, Claims: 5, NotBefore: 6, NotAfter: 1_000,
	}, Subject: [32]byte{7}}
	signed := s.AppendSigned(nil)
	sig := receipt.Sign(rootKey(t), types.StatementDigest(signed, scheme))
	return append(append(signed, scheme), sig[:]...)
}

func TestStatementBytes(t *testing.T) {
	got := statement(t, types.StatementRaw)
	want := "47435631" + "01" + zeros(31) + "02" + zeros(19) + "0000000000000003" + "04" + zeros(31) + "05" +
		"0000000000000006" + "00000000000003e8" + "07" + zeros(31) + "00"
	require.Equal(t, want, hex.EncodeToString(got[:146]))
	require.Len(t, got, 211)
	binding, err := types.StatementV1{}.Read(got)
	require.NoError(t, err)
	require.Equal(t, types.EvidenceBinding{
		ChainSalt: [32]byte{1}, HostKey: [20]byte{2}, NonceHeight: 3, BlockHash: [32]byte{4}, Claims: 5, NotBefore: 6, NotAfter: 1_000,
	}, binding)
}

func zeros(n int) string { return hex.EncodeToString(make([]byte, n)) }

func TestStatementVerifies(t *testing.T) {
	root := receipt.KeyAddress(rootKey(t))
	roots := [][]byte{make([]byte, 20), root[:]}
	for _, scheme := range []byte{types.StatementRaw, types.StatementEIP191} {
		evidence := statement(t, scheme)
		claims, notAfter, err := types.StatementV1{}.Verify(evidence, roots, 1_000)
		require.NoError(t, err)
		require.EqualValues(t, 5, claims)
		require.EqualValues(t, 1_000, notAfter)

		_, _, err = types.StatementV1{}.Verify(evidence, roots, 1_001)
		require.ErrorIs(t, err, types.ErrBadEvidence, "over")
		_, _, err = types.StatementV1{}.Verify(evidence, roots[:1], 1_000)
		require.ErrorIs(t, err, types.ErrBadEvidence, "no root")
		_, _, err = types.StatementV1{}.Verify(evidence, nil, 1_000)
		require.ErrorIs(t, err, types.ErrBadEvidence, "no roots")
		for i := range evidence { // no byte can change
			spoilt := bytes.Clone(evidence)
			spoilt[i] ^= 1
			_, _, err := types.StatementV1{}.Verify(spoilt, roots, 1_000)
			require.ErrorIs(t, err, types.ErrBadEvidence, "byte %d", i)
		}
	}
}

func FuzzStatement(f *testing.F) {
	f.Add([]byte("GCV1"), uint64(1))
	f.Add(make([]byte, 211), uint64(0))
	f.Fuzz(func(t *testing.T, evidence []byte, at uint64) {
		if _, _, err := (types.StatementV1{}).Verify(evidence, [][]byte{make([]byte, 20)}, at); err != nil {
			require.ErrorIs(t, err, types.ErrBadEvidence)
		}
	})
}

func TestReportCommitmentBindsAll(t *testing.T) {
	got := types.ReportCommitment([32]byte{1}, [20]byte{2}, [32]byte{3}, [32]byte{4})
	preimage, err := hex.DecodeString("47435232" + "01" + zeros(31) + "02" + zeros(19) + "03" + zeros(31) + "04" + zeros(31))
	require.NoError(t, err)
	require.Equal(t, sha256.Sum256(preimage), got)
}
