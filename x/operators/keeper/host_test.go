// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/operators/types"
)

func TestRegisterHost(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.host(t, "alice", "k0")
	f.begin(t, 7)
	f.clearEvents()
	msg := f.registerHost(t, "alice", "k1")
	msg.KeyExpiresAt = 2_000_000_000
	msg.TlsSpkiSha256, msg.CrnHash = hash32("spki"), "ab01"
	require.NoError(t, msg.ValidateBasic())
	resp, err := f.msgs.RegisterHost(f.ctx, msg)
	require.NoError(t, err)

	// The id's preimage byte by byte: tag, account, the number 1 in 8 bytes.
	id := sha256.Sum256(append(append([]byte("GCH1"), raw("alice")...), 0, 0, 0, 0, 0, 0, 0, 1))
	require.Equal(t, id[:], resp.HostId)
	address := receipt.KeyAddress(key("k1"))
	host := types.Host{
		Id: id[:], Operator: addr("alice"), Number: 1, ReceiptKey: address[:], Endpoint: msg.Endpoint,
		TlsSpkiSha256: hash32("spki"), CrnHash: "ab01", Models: []*types.HostModel{&msg.Models[0]}, RegisteredHeight: 7,
	}
	hostKey := types.HostKey{
		Address: address[:], PublicKey: msg.PublicKey, HostId: id[:], Operator: addr("alice"),
		RegisteredAt: 1_800_000_042, ExpiresAt: 2_000_000_000, RegisteredHeight: 7,
	}
	f.events(t, &types.EventHostRegistered{Host: host}, &types.EventHostKeyRegistered{Key: hostKey})
	stored := f.stored(t, id[:])
	require.Equal(t, host, stored.Host)
	require.Equal(t, hostKey, stored.Key)
	require.EqualValues(t, 2, f.get(t, "alice").Hosts)
	byAddress, err := f.k.HostKey(f.ctx, address)
	require.NoError(t, err)
	require.Equal(t, hostKey, byAddress)
	f.end(t)
}

func TestRegisterHostKeyRules(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.operator(t, "bob", 0)
	f.host(t, "bob", "bobs")
	for name, c := range map[string]struct {
		change func(*types.MsgRegisterHost)
		want   error
	}{
		"key of another host": {func(m *types.MsgRegisterHost) { *m = *f.registerHost(t, "alice", "bobs") }, types.ErrKeyUsed},
		"proof of another operator": {func(m *types.MsgRegisterHost) {
			proof := f.keyProof(t, "bob", "k")
			m.KeyProof = proof[:]
		}, types.ErrBadKeyProof},
		"proof by another key": {func(m *types.MsgRegisterHost) {
			m.PublicKey = key("other").PubKey().SerializeCompressed()
		}, types.ErrBadKeyProof},
		"proof of another role": {func(m *types.MsgRegisterHost) {
			domain, err := f.k.ReceiptDomain(f.ctx)
			require.NoError(t, err)
			digest := receipt.KeyProofDigest(domain, receipt.RoleGateway, [20]byte(raw("alice")), receipt.KeyAddress(key("k")))
			proof := receipt.Sign(key("k"), digest)
			m.KeyProof = proof[:]
		}, types.ErrBadKeyProof},
		"no point":         {func(m *types.MsgRegisterHost) { m.PublicKey = append([]byte{9}, m.PublicKey[1:]...) }, types.ErrBadKeyProof},
		"short key":        {func(m *types.MsgRegisterHost) { m.PublicKey = m.PublicKey[1:] }, types.ErrInvalidRequest},
		"short proof":      {func(m *types.MsgRegisterHost) { m.KeyProof = m.KeyProof[1:] }, types.ErrInvalidRequest},
		"expired":          {func(m *types.MsgRegisterHost) { m.KeyExpiresAt = uint64(f.ctx.BlockTime().Unix()) }, types.ErrBadExpiry},
		"unknown operator": {func(m *types.MsgRegisterHost) { m.Operator = addr("carol") }, types.ErrUnknownOperator},
	} {
		t.Run(name, func(t *testing.T) {
			msg := f.registerHost(t, "alice", "k")
			c.change(msg)
			f.refused(t, c.want, func(ctx context.Context) error {
				_, err := f.msgs.RegisterHost(ctx, msg)
				return err
			})
		})
	}
}

func TestHostsAreLimited(t *testing.T) {
	f := newFixture(t)
	params := types.DefaultParams()
	params.MaxHosts = 1
	_, err := f.msgs.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: addr("governance"), Params: params})
	require.NoError(t, err)
	f.operator(t, "alice", 0)
	f.host(t, "alice", "k0")
	f.refused(t, types.ErrTooManyHosts, func(ctx context.Context) error {
		_, err := f.msgs.RegisterHost(ctx, f.registerHost(t, "alice", "k1"))
		return err
	})
}

func TestHostOfferRules(t *testing.T) {
	model := func(change func(*types.HostModel)) func(*types.MsgUpdateHost) {
		return func(m *types.MsgUpdateHost) { change(&m.Models[0]) }
	}
	f := newFixture(t)
	f.operator(t, "alice", 0)
	id := f.host(t, "alice", "k")
	for name, change := range map[string]func(*types.MsgUpdateHost){
		"ftp":             func(m *types.MsgUpdateHost) { m.Endpoint = "ftp://x" },
		"no host":         func(m *types.MsgUpdateHost) { m.Endpoint = "https:///v1" },
		"password in URL": func(m *types.MsgUpdateHost) { m.Endpoint = "https://user:secret@x" },
		"query in URL":    func(m *types.MsgUpdateHost) { m.Endpoint = "https://x?a=b" },
		"space in URL":    func(m *types.MsgUpdateHost) { m.Endpoint = "https://x y" },
		"long URL":        func(m *types.MsgUpdateHost) { m.Endpoint = "https://" + strings.Repeat("x", 249) },
		"short pin":       func(m *types.MsgUpdateHost) { m.TlsSpkiSha256 = []byte{1} },
		"upper-case CRN":  func(m *types.MsgUpdateHost) { m.CrnHash = "AB" },
		"long CRN":        func(m *types.MsgUpdateHost) { m.CrnHash = strings.Repeat("a", 65) },
		"33 models":       func(m *types.MsgUpdateHost) { m.Models = make([]types.HostModel, 33) },
		"a megabyte of adapters": func(m *types.MsgUpdateHost) {
			for i := range 32 {
				model := types.HostModel{ModelId: hash32(string(rune('A' + i))), ServedName: string(rune('A' + i))}
				for j := range 64 {
					name := strings.Repeat(string(rune('A'+j)), 120)
					model.AdapterIds, model.AdapterNames = append(model.AdapterIds, hash32(name)), append(model.AdapterNames, name)
				}
				m.Models = append(m.Models[:i:i], model)
			}
		},
		"model twice":     func(m *types.MsgUpdateHost) { m.Models = append(m.Models, m.Models[0]) },
		"zero model":      model(func(m *types.HostModel) { m.ModelId = make([]byte, 32) }),
		"short model":     model(func(m *types.HostModel) { m.ModelId = []byte{1} }),
		"huge price":      model(func(m *types.HostModel) { m.PriceOutUusdc = 1_000_000_000_001 }),
		"no served name":  model(func(m *types.HostModel) { m.ServedName = "" }),
		"adapter unnamed": model(func(m *types.HostModel) { m.AdapterIds = [][]byte{hash32("a")} }),
		"adapter twice": model(func(m *types.HostModel) {
			m.AdapterIds, m.AdapterNames = [][]byte{hash32("a"), hash32("a")}, []string{"a", "b"}
		}),
		"adapter named base": model(func(m *types.HostModel) { m.AdapterIds, m.AdapterNames = [][]byte{hash32("a")}, []string{"llama"} }),
	} {
		t.Run(name, func(t *testing.T) {
			base := f.registerHost(t, "alice", "k")
			msg := &types.MsgUpdateHost{Operator: addr("alice"), HostId: id, Endpoint: base.Endpoint, Models: base.Models}
			require.NoError(t, msg.ValidateBasic())
			change(msg)
			require.ErrorIs(t, msg.ValidateBasic(), types.ErrInvalidRequest)
			f.refused(t, types.ErrInvalidRequest, func(ctx context.Context) error {
				_, err := f.msgs.UpdateHost(ctx, msg)
				return err
			})
		})
	}
}

func TestUpdateHost(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	f.operator(t, "bob", 0)
	id := f.host(t, "alice", "k")
	f.clearEvents()
	msg := &types.MsgUpdateHost{
		Operator: addr("alice"), HostId: id, Endpoint: "http://127.0.0.1:8000",
		Models: []types.HostModel{{
			ModelId: hash32("m2"), ServedName: "m2", AdapterIds: [][]byte{hash32("a")}, AdapterNames: []string{"m2-a"}, PriceOutUusdc: 7,
		}},
	}
	_, err := f.msgs.UpdateHost(f.ctx, msg)
	require.NoError(t, err)
	host := f.stored(t, id).Host
	require.Equal(t, "http://127.0.0.1:8000", host.Endpoint)
	require.Equal(t, []*types.HostModel{&msg.Models[0]}, host.Models)
	f.events(t, &types.EventHostUpdated{Host: host})
	f.end(t)

	msg.Operator = addr("bob")
	f.refused(t, types.ErrUnauthorized, func(ctx context.Context) error {
		_, err := f.msgs.UpdateHost(ctx, msg)
		return err
	})
	msg.HostId = hash32("nowhere")
	f.refused(t, types.ErrUnknownHost, func(ctx context.Context) error {
		_, err := f.msgs.UpdateHost(ctx, msg)
		return err
	})
}

func TestNewHostKeyExpiresTheOld(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	id := f.host(t, "alice", "old")
	f.begin(t, 5)
	f.clearEvents()
	proof := f.keyProof(t, "alice", "new")
	msg := &types.MsgRegisterHostKey{
		Operator: addr("alice"), HostId: id, PublicKey: key("new").PubKey().SerializeCompressed(), KeyProof: proof[:],
	}
	resp, err := f.msgs.RegisterHostKey(f.ctx, msg)
	require.NoError(t, err)
	fresh, old := receipt.KeyAddress(key("new")), receipt.KeyAddress(key("old"))
	require.Equal(t, fresh[:], resp.Address)
	stored := f.stored(t, id)
	require.Equal(t, fresh[:], stored.Host.ReceiptKey)
	require.Zero(t, stored.Key.ExpiresAt)
	f.events(t, &types.EventHostKeyRegistered{Key: stored.Key, Replaced: old[:]})
	retired, err := f.k.HostKey(f.ctx, old)
	require.NoError(t, err)
	require.EqualValues(t, 1_800_000_030, retired.ExpiresAt)
	f.end(t)

	// The old key is used for ever, by this host too.
	proof = f.keyProof(t, "alice", "old")
	msg.PublicKey, msg.KeyProof = key("old").PubKey().SerializeCompressed(), proof[:]
	f.refused(t, types.ErrKeyUsed, func(ctx context.Context) error {
		_, err := f.msgs.RegisterHostKey(ctx, msg)
		return err
	})
}

func TestExpiredKeyStaysExpired(t *testing.T) {
	f := newFixture(t)
	f.operator(t, "alice", 0)
	msg := f.registerHost(t, "alice", "old")
	msg.KeyExpiresAt = 1_800_000_012
	resp, err := f.msgs.RegisterHost(f.ctx, msg)
	require.NoError(t, err)
	f.begin(t, 10)
	proof := f.keyProof(t, "alice", "new")
	_, err = f.msgs.RegisterHostKey(f.ctx, &types.MsgRegisterHostKey{
		Operator: addr("alice"), HostId: resp.HostId, PublicKey: key("new").PubKey().SerializeCompressed(), KeyProof: proof[:],
	})
	require.NoError(t, err)
	retired, err := f.k.HostKey(f.ctx, receipt.KeyAddress(key("old")))
	require.NoError(t, err)
	require.EqualValues(t, 1_800_000_012, retired.ExpiresAt)
}
