// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/internal/hostiletest"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

// handle is a message's way through the router: stateless checks, then the handler.
func handle[M sdk.HasValidateBasic, R any](msg M, handler func(context.Context, M) (R, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := msg.ValidateBasic(); err != nil {
			return err
		}
		_, err := handler(ctx, msg)
		return err
	}
}

// hostile is any message, filled with garbage and with true values.
func (f *fixture) hostile(t *rapid.T, v hostiletest.Values) func(context.Context) error {
	fill := func(msg any) { hostiletest.Fill(t, msg, v) }
	switch rapid.IntRange(0, 24).Draw(t, "message") {
	case 0:
		return filled(fill, f.msgs.ConsentToOperator)
	case 1:
		return filled(fill, f.msgs.RegisterOperator)
	case 2:
		return filled(fill, f.msgs.UpdateOperator)
	case 3:
		return filled(fill, f.msgs.Bond)
	case 4:
		return filled(fill, f.msgs.Unbond)
	case 5:
		return filled(fill, f.msgs.RegisterHost)
	case 6:
		return filled(fill, f.msgs.UpdateHost)
	case 7:
		return filled(fill, f.msgs.RegisterHostKey)
	case 8:
		return filled(fill, f.msgs.CommitGPUs)
	case 9:
		return filled(fill, f.msgs.SubmitCapacity)
	case 10:
		return filled(fill, f.msgs.AuthoriseRelayer)
	case 11:
		return filled(fill, f.msgs.RevokeRelayer)
	case 12:
		return filled(fill, f.msgs.LinkNode)
	case 13:
		return filled(fill, f.msgs.ResolveDeferred)
	case 14:
		return filled(fill, f.msgs.CommitReport)
	case 15:
		return filled(fill, f.msgs.RegisterVerifier)
	case 16:
		return filled(fill, f.msgs.LeaveVerifiers)
	case 17:
		return filled(fill, f.msgs.SubmitAttestation)
	case 18:
		return filled(fill, f.msgs.SignVerdict)
	case 19:
		return filled(fill, f.msgs.ChallengeAttestation)
	case 20:
		return filled(fill, f.msgs.RegisterProber)
	case 21:
		return filled(fill, f.msgs.UnbondProber)
	case 22:
		return filled(fill, f.msgs.CommitObservations)
	case 23:
		return filled(fill, f.msgs.RevealObservations)
	default:
		return filled(fill, f.msgs.UpdateParams)
	}
}

// filled makes a message of the handler's type.
func filled[M any, P interface {
	*M
	sdk.HasValidateBasic
}, R any](fill func(any), handler func(context.Context, P) (R, error)) func(context.Context) error {
	msg := P(new(M))
	fill(msg)
	return handle(msg, handler)
}

func (f *fixture) trueValues(t *testing.T, hosts ...[]byte) hostiletest.Values {
	proof, owner := f.keyProof(t, "alice", "fresh"), receipt.KeyAddress(key("owner"))
	statement := f.statement(t, "alice", hosts[0], "a", 28, gpu(0, "d0"))
	evidence := f.proof(t, "root", types.StatementRaw, func(s *types.Statement) { s.NonceHeight, s.BlockHash = 30, blockHash(30) })
	ref := sha256.Sum256(evidence.Evidence)
	return hostiletest.Values{
		Strings: []string{
			addr("alice"), addr("bob"), addr("carol"), addr("governance"), nodeHash, "https://x", "h100-80g", "llama",
			"statement/v1", hex.EncodeToString(ref[:]), addr("vera"),
			hex.EncodeToString(hosts[0]), hex.EncodeToString(owner[:]),
		},
		Bytes: append(hosts, hash32("d0"), hash32("d1"), hash32("d2"), key("fresh").PubKey().SerializeCompressed(),
			proof[:], owner[:], f.link("alice", "owner", 1).Signature, statement.Signature, evidence.Evidence, ref[:], salt[:],
			f.commitment(t, "carol", string(ref[:]))),
		Numbers: []uint64{1, 3, 28, 30, 10_000_000, evidence.NotBefore, evidence.NotAfter, 100_000, 1_800_000_600, 81_559},
	}
}

func TestHostileMessagesBreakNothing(t *testing.T) {
	f, alices, bobs := stand(t)
	f.commit(t, "alice", alices, gpu(0, "d0"))
	f.commit(t, "bob", bobs, gpu(0, "d1"))
	values, accepted := f.trueValues(t, alices, bobs), 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			cached, write := f.ctx.CacheContext()
			if f.hostile(t, values)(cached) != nil {
				continue
			}
			write()
			accepted++
		}
	})
	require.NotZero(t, accepted, "some of it is true")
	f.end(t)
	f.begin(t, 31)
	f.end(t)
}

func TestHostileQueriesBreakNothing(t *testing.T) {
	f := busy(t)
	values := f.trueValues(t, hash32("none"))
	rapid.Check(t, func(t *rapid.T) {
		var (
			operator types.QueryOperatorRequest
			ops      types.QueryOperatorsRequest
			host     types.QueryHostRequest
			hosts    types.QueryHostsRequest
			hostKey  types.QueryHostKeyRequest
			unbond   types.QueryUnbondingsRequest
			grants   types.QueryRelayerGrantsRequest
			link     types.QueryNodeLinkRequest
			links    types.QueryNodeLinksRequest
			hash     types.QueryBlockHashRequest
			epoch    types.QueryEpochRequest
			deferred types.QueryDeferredRequest
			report   types.QueryReportRequest
			reports  types.QueryReportsRequest
			verifier types.QueryVerifiersRequest
			proof    types.QueryAttestationRequest
			proofs   types.QueryAttestationsRequest
			claims   types.QueryClaimsRequest
			probers  types.QueryProbersRequest
			panel    types.QueryPanelRequest
			avail    types.QueryAvailabilityRequest
		)
		for _, req := range []any{
			&operator, &ops, &host, &hosts, &hostKey, &unbond, &grants, &link, &links, &hash, &epoch,
			&deferred, &report, &reports, &verifier, &proof, &proofs, &claims, &probers, &panel, &avail,
		} {
			hostiletest.Fill(t, req, values)
		}
		// Only a panic is wrong; what comes is for the other tests.
		_, _ = f.query.Operator(f.ctx, &operator)
		_, _ = f.query.Operators(f.ctx, &ops)
		_, _ = f.query.Host(f.ctx, &host)
		_, _ = f.query.Hosts(f.ctx, &hosts)
		_, _ = f.query.HostKey(f.ctx, &hostKey)
		_, _ = f.query.Unbondings(f.ctx, &unbond)
		_, _ = f.query.RelayerGrants(f.ctx, &grants)
		_, _ = f.query.NodeLink(f.ctx, &link)
		_, _ = f.query.NodeLinks(f.ctx, &links)
		_, _ = f.query.BlockHash(f.ctx, &hash)
		_, _ = f.query.Epoch(f.ctx, &epoch)
		_, _ = f.query.Deferred(f.ctx, &deferred)
		_, _ = f.query.Report(f.ctx, &report)
		_, _ = f.query.Reports(f.ctx, &reports)
		_, _ = f.query.Verifiers(f.ctx, &verifier)
		_, _ = f.query.Attestation(f.ctx, &proof)
		_, _ = f.query.Attestations(f.ctx, &proofs)
		_, _ = f.query.Claims(f.ctx, &claims)
		_, _ = f.query.Probers(f.ctx, &probers)
		_, _ = f.query.Panel(f.ctx, &panel)
		_, _ = f.query.Availability(f.ctx, &avail)
	})
	f.end(t)
}
