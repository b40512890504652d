// SPDX-License-Identifier: Apache-2.0

package types

import "crypto/sha256"

// reportTag begins what a report commits to.
const reportTag = "GCR2"

// ReportCommitment returns what a reporter commits to before he shows evidence: SHA-256 of "GCR2", the chain's salt
// (receipt.Domain.Salt), his account, a random salt, and SHA-256 of the evidence bytes. It binds the evidence to him, so that nobody
// who sees it in a block can report it first.
func ReportCommitment(chainSalt [32]byte, reporter [AddressLength]byte, salt, evidenceHash [32]byte) [32]byte {
	b := make([]byte, 0, len(reportTag)+3*HashLength+AddressLength)
	b = append(b, reportTag...)
	b = append(b, chainSalt[:]...)
	b = append(b, reporter[:]...)
	b = append(b, salt[:]...)
	b = append(b, evidenceHash[:]...)
	return sha256.Sum256(b)
}
