// SPDX-License-Identifier: Apache-2.0

// Package chain is the off-chain programs' way to a gpucoord node: typed queries, and transactions that the caller signs.
//
// It holds no state of the chain and no sequence: package submit owns those. Everything that decides is elsewhere.
package chain

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	nodeservice "github.com/cosmos/cosmos-sdk/client/grpc/node"
	grpctypes "github.com/cosmos/cosmos-sdk/types/grpc"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	anchorstypes "github.com/gpucoord/gpucoord/x/anchors/types"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
	rewardstypes "github.com/gpucoord/gpucoord/x/rewards/types"
	royaltiestypes "github.com/gpucoord/gpucoord/x/royalties/types"
)

// Errors that end a program: trying again does not help.
var (
	// ErrWrongChain says that the node serves another chain. Correct the node's address or the chain id in the configuration.
	ErrWrongChain = errors.New("node serves another chain; correct the address or chain_id in the configuration")
	// ErrBadURL says that the node's address cannot be used. Write grpc://host:port or grpcs://host:port.
	ErrBadURL = errors.New("node address must be grpc://host:port or grpcs://host:port")
)

// ErrNoBlock says that the node has run no block yet. Wait until it has started.
var ErrNoBlock = errors.New("node has run no block yet; wait until it has started")

// callTimeout bounds each call: a local node answers in milliseconds, a far one in a second or two.
const callTimeout = 10 * time.Second

// reconnect is how often a node that went away is looked for. gRPC's default grows to two minutes, in which windows of blocks can end.
var reconnect = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second}

// maxAnswerBytes bounds one answer: a page of 200 batches of 256 groups fits.
const maxAnswerBytes = 32 << 20

// Client talks to one node.
type Client struct {
	Operators operatorstypes.QueryClient
	Royalties royaltiestypes.QueryClient
	Receipts  receiptstypes.QueryClient
	Rewards   rewardstypes.QueryClient
	Anchors   anchorstypes.QueryClient
	Bank      banktypes.QueryClient

	auth    authtypes.QueryClient
	blocks  cmtservice.ServiceClient
	node    nodeservice.ServiceClient
	tx      txtypes.ServiceClient
	conn    *grpc.ClientConn
	chainID string
}

// Head is the newest block a node has run.
type Head struct {
	Height uint64
	Time   time.Time
}

// Dial connects to the node at address, grpc://host:port (plain) or grpcs://host:port (TLS). It does not wait for the
// node: calls fail until the node answers. Each call has its own timeout.
//
// Errors: ErrBadURL.
func Dial(address, chainID string) (*Client, error) {
	target, creds, err := parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(creds), grpc.WithUnaryInterceptor(withTimeout),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: callTimeout}),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(wireCodec{}), grpc.MaxCallRecvMsgSize(maxAnswerBytes)))
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return &Client{
		Operators: operatorstypes.NewQueryClient(conn),
		Royalties: royaltiestypes.NewQueryClient(conn),
		Receipts:  receiptstypes.NewQueryClient(conn),
		Rewards:   rewardstypes.NewQueryClient(conn),
		Anchors:   anchorstypes.NewQueryClient(conn),
		Bank:      banktypes.NewQueryClient(conn),
		auth:      authtypes.NewQueryClient(conn),
		blocks:    cmtservice.NewServiceClient(conn),
		node:      nodeservice.NewServiceClient(conn),
		tx:        txtypes.NewServiceClient(conn),
		conn:      conn,
		chainID:   chainID,
	}, nil
}

func parse(address string) (string, credentials.TransportCredentials, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Path != "" {
		return "", nil, fmt.Errorf("%w: %q", ErrBadURL, address)
	}
	switch u.Scheme {
	case "grpc":
		return "passthrough:///" + u.Host, insecure.NewCredentials(), nil
	case "grpcs":
		return "dns:///" + u.Host, credentials.NewTLS(nil), nil
	default:
		return "", nil, fmt.Errorf("%w: %q", ErrBadURL, address)
	}
}

func withTimeout(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return invoke(ctx, method, req, reply, cc, opts...)
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// ChainID is the id the client was made for.
func (c *Client) ChainID() string { return c.chainID }

// Head returns the newest block whose state can be asked for. A node has a block a moment before it has run it.
//
// Errors: ErrWrongChain when the node serves another chain, else the call's error.
func (c *Client) Head(ctx context.Context) (Head, error) {
	info, err := c.blocks.GetNodeInfo(ctx, &cmtservice.GetNodeInfoRequest{})
	if err != nil {
		return Head{}, fmt.Errorf("read the node's chain: %w", err)
	}
	if got := info.GetDefaultNodeInfo().GetNetwork(); got != c.chainID {
		return Head{}, fmt.Errorf("%w: want %q, got %q", ErrWrongChain, c.chainID, got)
	}
	res, err := c.node.Status(ctx, &nodeservice.StatusRequest{})
	if err != nil {
		return Head{}, fmt.Errorf("read the newest block: %w", err)
	}
	if res.Timestamp == nil || res.Height == 0 {
		return Head{}, ErrNoBlock
	}
	return Head{Height: res.Height, Time: *res.Timestamp}, nil
}

// AtHeight makes every query under the returned context read the state after block height, so that one pass sees one state.
func AtHeight(ctx context.Context, height uint64) context.Context {
	return metadata.AppendToOutgoingContext(ctx, grpctypes.GRPCBlockHeightHeader, strconv.FormatUint(height, 10))
}
