// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/sha3"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

const (
	// ringSize is ReceiptAnchor.RING.
	ringSize = 1024
	// rpcTimeout bounds one question to an EVM node, maxAnswer its answer in bytes.
	rpcTimeout = 20 * time.Second
	maxAnswer  = 64 << 10
)

// Contract is a ReceiptAnchor contract behind a JSON-RPC endpoint.
type Contract struct {
	// URL is the endpoint's, http or https.
	URL string
	// Address is the contract's.
	Address [20]byte
	// Client makes the requests; nil means a plain one that follows no redirect.
	Client *http.Client
}

// CallInclusion returns the calldata of verifyInclusion(Anchor,bytes32,uint256,bytes32[]).
func CallInclusion(a anchor.Anchor, leafHash [32]byte, index uint64, path [][32]byte) []byte {
	b := selector("verifyInclusion((uint64,uint64,uint64,uint64,bytes32,bytes32),bytes32,uint256,bytes32[])")
	for _, n := range [...]uint64{a.Nonce, a.Height, a.Time, a.TreeSize} {
		b = appendWord(b, n)
	}
	b = append(append(append(b, a.Root[:]...), a.NextValset[:]...), leafHash[:]...)
	b = appendWord(b, index)
	b = appendWord(b, 9*32) // where the path begins, after nine words
	b = appendWord(b, uint64(len(path)))
	for _, h := range path {
		b = append(b, h[:]...)
	}
	return b
}

func selector(signature string) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(signature))
	return h.Sum(nil)[:4]
}

func appendWord(b []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, make([]byte, 24)...), n)
}

// checkContract makes the row of the EVM contract.
func (v *verifier) checkContract(ctx context.Context, stated *signedAnchor, leafHash [32]byte, path [][32]byte) {
	contract := v.options.Contract
	if contract == nil {
		v.rows.open(CheckEVM, "no contract was asked; name one with --evm RPC --contract ADDRESS")
		return
	}
	block, err := contract.check(ctx, v.bundle.OriginID, stated.Anchor, leafHash, v.bundle.Leaf.Index, path)
	switch {
	case errors.Is(err, ErrRPC):
		v.rows.open(CheckEVM, "%s", err)
	case err != nil:
		v.rows.fail(CheckEVM, err)
	default:
		by := fmt.Sprintf("contract 0x%x, as the node at %s says of block %d,", contract.Address, contract.host(), block)
		v.rows.passBy(by, CheckEVM, "the contract is of this chain, holds anchor %d and confirms that the batch's leaf is in its log", stated.Nonce)
	}
}

// check asks the contract for its origin, its state, the anchor's place in its ring, and whether it agrees with the proof. All answers
// are of one block, whose number is returned.
func (c *Contract) check(ctx context.Context, origin []byte, a anchor.Anchor, leafHash [32]byte, index uint64, path [][32]byte) (uint64, error) {
	number, err := c.ask(ctx, "eth_blockNumber")
	if err != nil {
		return 0, err
	}
	block, err := quantity(number)
	if err != nil {
		return 0, err
	}
	got, err := c.call(ctx, number, selector("originId()"), 1)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(got, origin) {
		return 0, fmt.Errorf("%w: its origin id is %x", ErrContractOrigin, got)
	}
	head, err := c.call(ctx, number, selector("head()"), 5)
	if err != nil {
		return 0, err
	}
	if head[5*32-1] != 0 {
		return 0, ErrContractFrozen
	}
	slot, err := c.call(ctx, number, appendWord(selector("ring(uint256)"), a.Nonce%ringSize), 1)
	if err != nil {
		return 0, err
	}
	if hash := a.StructHash(); !bytes.Equal(slot, hash[:]) {
		return 0, fmt.Errorf("%w: it is at anchor %d", ErrContractNoAnchor, binary.BigEndian.Uint64(head[24:32]))
	}
	agrees, err := c.call(ctx, number, CallInclusion(a, leafHash, index, path), 1)
	if err != nil {
		return 0, err
	}
	if want := appendWord(nil, 1); !bytes.Equal(agrees, want) {
		return 0, fmt.Errorf("%w: verifyInclusion is false for this leaf", ErrContract)
	}
	return block, nil
}

// call makes an eth_call at a block and returns an answer of so many words.
func (c *Contract) call(ctx context.Context, block string, data []byte, words int) ([]byte, error) {
	message := map[string]string{"to": "0x" + hex.EncodeToString(c.Address[:]), "data": "0x" + hex.EncodeToString(data)}
	text, err := c.ask(ctx, "eth_call", message, block)
	if err != nil {
		return nil, err
	}
	out, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return nil, fmt.Errorf("%w: answer is not hex", ErrRPC)
	}
	if len(out) != 32*words {
		return nil, fmt.Errorf("%w: there is no ReceiptAnchor at 0x%x (an answer of %d bytes)", ErrContract, c.Address, len(out))
	}
	return out, nil
}

// quantity reads a number as JSON-RPC writes it.
func quantity(text string) (n uint64, err error) {
	if _, err := fmt.Sscanf(text, "0x%x", &n); err != nil {
		return 0, fmt.Errorf("%w: block number %q", ErrRPC, text)
	}
	return n, nil
}

// ask sends one JSON-RPC request whose result is a string.
func (c *Contract) ask(ctx context.Context, method string, params ...any) (string, error) {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, rpcTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("%w: the endpoint is not a URL", ErrRPC)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client().Do(request)
	if err != nil {
		var named *url.Error
		if errors.As(err, &named) {
			err = named.Err // without the URL, which may hold a key
		}
		return "", fmt.Errorf("%w: %w", ErrRPC, err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Result *string `json:"result"`
		Error  *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return "", fmt.Errorf("%w: HTTP status %d: %w", ErrRPC, response.StatusCode, err)
	}
	switch {
	case answer.Error != nil:
		return "", fmt.Errorf("%w: %s: error %d: %.200q", ErrRPC, method, answer.Error.Code, answer.Error.Message)
	case answer.Result == nil:
		return "", fmt.Errorf("%w: %s: no result", ErrRPC, method)
	}
	return *answer.Result, nil
}

func (c *Contract) client() *http.Client {
	if c.Client != nil {
		return c.Client
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// host is the endpoint without a key that its path or query may hold.
func (c *Contract) host() string {
	parsed, err := url.Parse(c.URL)
	if err != nil {
		return "?"
	}
	return parsed.Host
}
