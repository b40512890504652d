// SPDX-License-Identifier: Apache-2.0

package receipt

import "strconv"

// LinkText returns the text that the owner of a compute resource node signs to link it to an operator:
//
//	gpucoord/link/v1\n<chainID>\n<operator>\n<nodeHash>\n<nonce>\n<expiry>
//
// chainID is the CometBFT chain-id, operator the bech32 account, nodeHash the node's hash in hex, nonce and expiry (Unix seconds) in
// decimal. The parts are not escaped: the verifier builds the text from values it has validated.
func LinkText(chainID, operator, nodeHash string, nonce, expiry uint64) string {
	return "gpucoord/link/v1\n" + chainID + "\n" + operator + "\n" + nodeHash + "\n" +
		strconv.FormatUint(nonce, 10) + "\n" + strconv.FormatUint(expiry, 10)
}

// EIP191Digest returns keccak256("\x19Ethereum Signed Message:\n" | decimal byte length | text), what a wallet's personal_sign signs.
func EIP191Digest(text string) [32]byte {
	return keccak256([]byte("\x19Ethereum Signed Message:\n" + strconv.Itoa(len(text)) + text))
}
