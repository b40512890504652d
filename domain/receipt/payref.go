// SPDX-License-Identifier: Apache-2.0

package receipt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

const paymentRefTag = "gpucoord/payref/v1\x00"

// ErrBadPaymentPart means that an identifier cannot stand in a payment preimage without becoming ambiguous.
var ErrBadPaymentPart = errors.New("payment identifier is empty or has characters outside printable ASCII or a '|': pass the id as issued")

// PaymentRef returns SHA256("gpucoord/payref/v1" 0x00 preimage): the public name of a payment, known before it settles.
// Anyone who can guess the preimage can recognise the payment; where it is guessable, use KeyedPaymentRef.
func PaymentRef(preimage string) [32]byte {
	return sha256.Sum256([]byte(paymentRefTag + preimage))
}

// KeyedPaymentRef returns HMAC-SHA256(secret, "gpucoord/payref/v1" 0x00 preimage). Gateways use it, so that references of one customer
// cannot be linked by outsiders; whoever holds the secret can show that a reference is of a payment.
func KeyedPaymentRef(secret []byte, preimage string) [32]byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(paymentRefTag + preimage))
	return [32]byte(mac.Sum(nil))
}

// X402EIP3009 returns the preimage of an x402 payment by transferWithAuthorization: EIP-155 chain id, token, payer and the 32-byte nonce.
func X402EIP3009(chainID uint64, asset, payer [20]byte, nonce [32]byte) string {
	return x402Preimage(chainID, asset, "eip3009", payer, nonce)
}

// X402Permit2 returns the preimage of an x402 payment through Permit2; nonce is its uint256, big-endian.
func X402Permit2(chainID uint64, asset, payer [20]byte, nonce [32]byte) string {
	return x402Preimage(chainID, asset, "permit2", payer, nonce)
}

// X402ERC2612 returns the preimage of an x402 payment by an ERC-2612 permit; nonce is its uint256, big-endian.
func X402ERC2612(chainID uint64, asset, payer [20]byte, nonce [32]byte) string {
	return x402Preimage(chainID, asset, "erc2612", payer, nonce)
}

// x402Preimage names the nonce and not the transaction: it is known before settlement and spent at most once. The scheme is part of
// it because the three nonces live in different spaces.
func x402Preimage(chainID uint64, asset [20]byte, scheme string, payer [20]byte, nonce [32]byte) string {
	return "x402|eip155:" + strconv.FormatUint(chainID, 10) + "|0x" + hex.EncodeToString(asset[:]) + "|" + scheme +
		"|0x" + hex.EncodeToString(payer[:]) + "|0x" + hex.EncodeToString(nonce[:])
}

// AlephCredit returns the preimage of an Aleph credit expense: the item hash of the expense message and the execution id it pays.
//
// Errors: ErrBadPaymentPart.
func AlephCredit(messageHash, executionID string) (string, error) {
	if !paymentPart(messageHash) || !paymentPart(executionID) {
		return "", ErrBadPaymentPart
	}
	return "aleph-credit|" + messageHash + "|" + executionID, nil
}

// LibertAICredit returns the preimage of a LibertAI credit call: the id of the API key (its public UUID, never the key) and the call's id.
//
// Errors: ErrBadPaymentPart.
func LibertAICredit(apiKeyID string, callID uint64) (string, error) {
	if !paymentPart(apiKeyID) {
		return "", ErrBadPaymentPart
	}
	return "libertai|" + apiKeyID + "|" + strconv.FormatUint(callID, 10), nil
}

func paymentPart(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c == '|' || c <= ' ' || c > '~' })
}
