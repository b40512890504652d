// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/domain/sumtree"
	"github.com/gpucoord/gpucoord/relayer/chain"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

const (
	// pageLimit is how many batches or gateways are asked for at a time; a batch may have 256 groups.
	pageLimit = 50
	// maxKeys is the most keys of a gateway that the chain's answer has.
	maxKeys = 200
)

// Queries are the chain's answers that watching needs.
type Queries struct {
	Operators operatorstypes.QueryClient
	Receipts  receiptstypes.QueryClient
}

// gatewayKey is a payer key that a gateway has, valid from one second to another, both inclusive, until 0 for ever.
type gatewayKey struct {
	from, until      uint64
	settler, gateway [20]byte
}

// payers says who settles a payment, as the chain does it at one height.
type payers struct {
	q        Queries
	keys     map[[20]byte]gatewayKey
	gateways map[[20]byte][20]byte // by settler
	// partial says that a gateway has more keys than the chain's answer, so that an unknown payer must be asked for.
	partial bool
	// hostKeys has whose host key a payer's key is: [20]byte to [20]byte, zeros for nobody's. It is asked for once.
	hostKeys sync.Map
}

// readPayers asks for all gateway keys at the height of ctx.
func readPayers(ctx context.Context, q Queries) (*payers, error) {
	p := &payers{q: q, keys: make(map[[20]byte]gatewayKey), gateways: make(map[[20]byte][20]byte)}
	page := &query.PageRequest{Limit: pageLimit}
	for {
		res, err := q.Receipts.Gateways(ctx, &receiptstypes.QueryGatewaysRequest{Pagination: page})
		if err != nil {
			return nil, fmt.Errorf("list gateways: %w", err)
		}
		for i := range res.Gateways {
			if err := p.readKeys(ctx, res.Gateways[i].Address); err != nil {
				return nil, err
			}
		}
		if res.Pagination == nil || len(res.Pagination.NextKey) == 0 {
			return p, nil
		}
		page = &query.PageRequest{Key: res.Pagination.NextKey, Limit: pageLimit}
	}
}

func (p *payers) readKeys(ctx context.Context, address string) error {
	gateway, err := chain.ParseBech32(address)
	if err != nil {
		return err
	}
	res, err := p.q.Receipts.Gateway(ctx, &receiptstypes.QueryGatewayRequest{Address: address})
	if err != nil {
		return fmt.Errorf("read gateway %s: %w", address, err)
	}
	p.partial = p.partial || len(res.Keys) >= maxKeys
	for i := range res.Keys {
		k := &res.Keys[i]
		settler, err := chain.ParseBech32(k.Settler)
		if err != nil {
			return err
		}
		if len(k.Address) != 20 {
			return fmt.Errorf("gateway %s: a key's address has %d bytes", address, len(k.Address))
		}
		p.keys[[20]byte(k.Address)] = gatewayKey{from: k.ValidFrom, until: k.ValidUntil, settler: settler, gateway: gateway}
		p.gateways[settler] = gateway
	}
	return nil
}

// settler returns who settles a record that operator served, and whether it is a gateway's.
func (p *payers) settler(ctx context.Context, auth *receipt.JobAuth, operator [20]byte) (settler [20]byte, gateway bool, err error) {
	key, known := p.keys[auth.Payer]
	switch {
	case known && auth.IssuedAt >= key.from && (key.until == 0 || auth.IssuedAt <= key.until):
		return key.settler, true, nil
	case known || !p.partial:
		return operator, false, nil
	}
	res, err := p.q.Receipts.Payer(ctx, &receiptstypes.QueryPayerRequest{
		Key: hex.EncodeToString(auth.Payer[:]), IssuedAt: auth.IssuedAt, Operator: chain.Bech32(operator[:]),
	})
	if err != nil {
		return settler, false, fmt.Errorf("resolve a payer: %w", err)
	}
	if !res.GatewayKey {
		return operator, false, nil
	}
	settler, err = chain.ParseBech32(res.Settler.Address)
	return settler, true, err
}

// owner returns who stands behind a settler: its gateway, or itself.
func (p *payers) owner(settler [20]byte) [20]byte {
	if gateway, ok := p.gateways[settler]; ok {
		return gateway
	}
	return settler
}

// blamed returns who pays for naming one payment twice, or false: the gateway whose key signed the payment, or the operator whose own
// host key did. What a customer of an operator names proves nothing.
func (p *payers) blamed(ctx context.Context, auth *receipt.JobAuth, settler, operator [20]byte) (owner [20]byte, ok bool, err error) {
	if settler != operator {
		return p.owner(settler), true, nil
	}
	known, found := p.hostKeys.Load(auth.Payer)
	if !found {
		if known, err = p.hostKeyOwner(ctx, auth.Payer); err != nil {
			return owner, false, err
		}
		p.hostKeys.Store(auth.Payer, known)
	}
	return operator, known == any(operator), nil
}

// hostKeyOwner asks whose host key a key is or was; zeros are nobody's.
func (p *payers) hostKeyOwner(ctx context.Context, key [20]byte) (operator [20]byte, err error) {
	res, err := p.q.Operators.HostKey(ctx, &operatorstypes.QueryHostKeyRequest{Address: hex.EncodeToString(key[:])})
	if status.Code(err) == codes.NotFound {
		return operator, nil
	}
	if err != nil {
		return operator, fmt.Errorf("read a payer's host key: %w", err)
	}
	return chain.ParseBech32(res.Key.Operator)
}

// facts are what the chain says about one batch.
type facts struct {
	batch    *receiptstypes.Batch
	groups   []sumtree.Group
	operator [20]byte
	rules    receipt.Context // without what the group and the payer decide
	payers   *payers
	// attestations are the host's, by what records call them.
	attestations map[[32]byte]*operatorstypes.Attestation
}

// readFacts asks, at the height of ctx, for everything that decides on the records of a batch.
func readFacts(ctx context.Context, q Queries, p *payers, b *receiptstypes.Batch) (*facts, error) {
	f := &facts{batch: b, payers: p}
	var err error
	if f.groups, err = b.DomainGroups(); err != nil {
		return nil, err
	}
	if len(f.groups) == 0 {
		return nil, sumtree.ErrEmptyBatch
	}
	if f.operator, err = chain.ParseBech32(b.Operator); err != nil {
		return nil, err
	}
	key, err := q.Operators.HostKey(ctx, &operatorstypes.QueryHostKeyRequest{Address: hex.EncodeToString(b.HostKey)})
	if err != nil {
		return nil, fmt.Errorf("read receipt key: %w", err)
	}
	f.rules = receipt.Context{
		HostKeyAddress: f.groups[0].Operator, HostID: f.groups[0].HostID, Epoch: b.Epoch,
		KeyRegisteredAt: key.Key.RegisteredAt, KeyExpiresAt: key.Key.ExpiresAt,
	}
	for e, into := range map[uint64]*uint64{b.Epoch: &f.rules.EpochStart, b.Epoch + 1: &f.rules.NextEpochStart} {
		res, err := q.Operators.Epoch(ctx, &operatorstypes.QueryEpochRequest{Epoch: e})
		if err != nil {
			return nil, fmt.Errorf("read epoch %d: %w", e, err)
		}
		if res.Grid.StartTime == 0 {
			return nil, fmt.Errorf("epoch %d: the chain does not know when it began", e)
		}
		*into = res.Grid.StartTime
	}
	return f, f.readAttestations(ctx, q)
}

// readAttestations asks for what the host has shown of itself; a host has at most a handful.
func (f *facts) readAttestations(ctx context.Context, q Queries) error {
	res, err := q.Operators.Attestations(ctx, &operatorstypes.QueryAttestationsRequest{HostId: hex.EncodeToString(f.batch.HostId)})
	if err != nil {
		return fmt.Errorf("read the host's attestations: %w", err)
	}
	f.attestations = make(map[[32]byte]*operatorstypes.Attestation)
	for i := range res.Attestations {
		if a := &res.Attestations[i]; len(a.Ref) == 32 {
			f.attestations[[32]byte(a.Ref)] = a
		}
	}
	return nil
}

// errStale says that a record names an attestation that had expired.
var errStale = errors.New("attestation had expired at servedAt")

// checkAttestation looks at the attestation that a record which keeps all other rules names. Error: errStale.
func (f *facts) checkAttestation(r *receipt.Record) error {
	if a := f.attestations[r.AttestRef]; a != nil && a.StandingAt(r.ServedAt) == operatorstypes.AttestationStale {
		return errStale
	}
	return nil
}

// checkContext applies the rules that need the chain's state, as the chain does. fault is the rule's error; err is that of asking.
func (f *facts) checkContext(ctx context.Context, group int, r *receipt.Record) (settler [20]byte, fault, err error) {
	settler, gateway, err := f.payers.settler(ctx, &r.Auth, f.operator)
	if err != nil {
		return settler, nil, err
	}
	g, rules := &f.groups[group], f.rules
	rules.ModelID, rules.AdapterID, rules.FirstSeq, rules.LastSeq = g.ModelID, g.AdapterID, g.FirstSeq, g.LastSeq
	rules.Settler, rules.WantSettler, rules.SettlerIsGateway = g.Settler, settler, gateway
	rules.AdapterBase = g.ModelID // the chain takes no group whose adapter has another base
	if err := rules.Check(r); err != nil {
		return settler, err, nil
	}
	return settler, f.checkAttestation(r), nil
}
