// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/ethereum/go-ethereum/rpc"
)

// Errors of endpoints. ErrEndpoint wraps what another endpoint may do better.
var (
	ErrEndpoint    = errors.New("endpoint does not answer as it should; another one is tried")
	ErrNoEndpoint  = errors.New("no endpoint can be used; add one under rpcs or wait until one is back")
	ErrWrongChain  = errors.New("endpoint serves another EVM chain; correct rpcs or chain_id")
	ErrNoCode      = errors.New("there is no contract at this address; correct contract, or deploy one with 'gpucoord-relayer evm deploy'")
	ErrWrongCode   = errors.New("the code at this address is not ReceiptAnchor as this release compiles it; correct contract, or name its hash in code_hash")
	ErrWrongOrigin = errors.New("the contract holds anchors of another chain; correct contract or the node's address")
	ErrBehind      = errors.New("endpoint is behind what was seen before; it is used again when it has caught up")
	ErrNoBaseFee   = errors.New("this EVM chain has no base fee (EIP-1559); it is not supported")
)

// Errors of the purse.
var (
	ErrKeyMode     = errors.New("key and password files must be readable by their owner only: chmod 600")
	ErrKeyFile     = errors.New("key file is no geth keystore (version 3) that this password opens")
	ErrSigner      = errors.New("remote signer does not sign; check that it runs and holds the account")
	ErrSignerLied  = errors.New("remote signer returned another transaction than the one it was asked to sign; do not use it")
	ErrManyKeys    = errors.New("remote signer holds several accounts; name one in account")
	ErrSignerURL   = errors.New("remote_signer must be http://, https:// or unix:///path")
	ErrEmptyPurse  = errors.New("the account cannot pay for the transaction; send it more of the chain's coin")
	ErrTooHighFees = errors.New("fees are above the ceiling; waiting, or raise max_fee_gwei")
)

// Errors of what the node offers.
var (
	// ErrNoAnchor says that there is no such anchor, or none that the contract can take.
	ErrNoAnchor = errors.New("the chain has no such attested anchor")
	// ErrBadAnchor says that the node offers what the contract would refuse.
	ErrBadAnchor = errors.New("the node offers an anchor that does not verify; check which chain and release it runs")
)

// redact takes addresses out of an error: an endpoint's can hold an access key. Of an answer that is no JSON-RPC only the status stays:
// its body is a stranger's text of any length, and some name the key that was refused.
func redact(err error) error {
	var answer rpc.HTTPError
	if errors.As(err, &answer) {
		return fmt.Errorf("HTTP status %d", answer.StatusCode)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return errors.New("name does not resolve")
	}
	return err
}
