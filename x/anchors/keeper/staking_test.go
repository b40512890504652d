// SPDX-License-Identifier: Apache-2.0

package keeper_test

import (
	"bytes"
	"context"
	"slices"
	"time"

	gogotypes "github.com/cosmos/gogoproto/types"

	"cosmossdk.io/core/store"
	sdkmath "cosmossdk.io/math"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// fakeStaking is x/staking and x/slashing as far as anchors see them.
type fakeStaking struct {
	power      map[string]int64 // by operator, bonded ones only
	validators map[string]stakingtypes.Validator
	unbonding  time.Duration

	slashed    []slash
	jailed     map[string]bool
	until      map[string]time.Time
	tombstoned map[string]bool
}

// slash is a call that burns stake.
type slash struct {
	operator      string
	power, height int64
	fraction      string
}

func newStaking() *fakeStaking {
	return &fakeStaking{
		power: make(map[string]int64), validators: make(map[string]stakingtypes.Validator), unbonding: 21 * 24 * time.Hour,
		jailed: make(map[string]bool), until: make(map[string]time.Time), tombstoned: make(map[string]bool),
	}
}

// bond gives a validator its power, and makes it when it is new. Zero power unbonds it.
func (s *fakeStaking) bond(name string, power int64) sdk.ValAddress {
	operator := sdk.ValAddress(account(name))
	key, err := codectypes.NewAnyWithValue(ed25519.GenPrivKeyFromSecret([]byte(name)).PubKey())
	if err != nil {
		panic(err)
	}
	v := stakingtypes.Validator{
		OperatorAddress: valoper(name), ConsensusPubkey: key, Status: stakingtypes.Bonded,
		Tokens: sdkmath.NewInt(power).MulRaw(1_000_000), DelegatorShares: sdkmath.LegacyNewDec(power),
	}
	s.power[string(operator)] = power
	if power == 0 {
		delete(s.power, string(operator))
		v.Status = stakingtypes.Unbonding
	}
	s.validators[string(operator)] = v
	return operator
}

func valoper(name string) string {
	text, err := validatorCodec.BytesToString(account(name))
	if err != nil {
		panic(err)
	}
	return text
}

func (s *fakeStaking) LastValidatorsIterator(context.Context) (store.Iterator, error) {
	it := &powers{}
	for operator, power := range s.power {
		value, err := (&gogotypes.Int64Value{Value: power}).Marshal()
		if err != nil {
			return nil, err
		}
		it.entries = append(it.entries, [2][]byte{append([]byte{0x11, 20}, operator...), value})
	}
	slices.SortFunc(it.entries, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
	return it, nil
}

func (s *fakeStaking) GetLastValidatorPower(_ context.Context, operator sdk.ValAddress) (int64, error) {
	return s.power[string(operator)], nil
}

func (s *fakeStaking) GetValidator(_ context.Context, operator sdk.ValAddress) (stakingtypes.Validator, error) {
	v, ok := s.validators[string(operator)]
	if !ok {
		return v, stakingtypes.ErrNoValidatorFound
	}
	return v, nil
}

func (s *fakeStaking) UnbondingTime(context.Context) (time.Duration, error) { return s.unbonding, nil }

func (s *fakeStaking) PowerReduction(context.Context) sdkmath.Int { return sdkmath.NewInt(1_000_000) }

func (s *fakeStaking) operator(address sdk.ConsAddress) string {
	for operator, v := range s.validators {
		if own, err := v.GetConsAddr(); err == nil && bytes.Equal(own, address) {
			return operator
		}
	}
	panic("no such validator")
}

func (s *fakeStaking) SlashWithInfractionReason(
	_ context.Context, address sdk.ConsAddress, fraction sdkmath.LegacyDec, power, height int64, _ stakingtypes.Infraction,
) error {
	s.slashed = append(s.slashed, slash{operator: s.operator(address), power: power, height: height, fraction: fraction.String()})
	return nil
}

func (s *fakeStaking) Jail(_ context.Context, address sdk.ConsAddress) error {
	operator := s.operator(address)
	v := s.validators[operator]
	if v.Jailed {
		panic("jailed already")
	}
	v.Jailed = true
	s.validators[operator], s.jailed[operator] = v, true
	return nil
}

func (s *fakeStaking) JailUntil(_ context.Context, address sdk.ConsAddress, until time.Time) error {
	s.until[s.operator(address)] = until
	return nil
}

func (s *fakeStaking) Tombstone(_ context.Context, address sdk.ConsAddress) error {
	s.tombstoned[s.operator(address)] = true
	return nil
}

func (s *fakeStaking) IsTombstoned(_ context.Context, address sdk.ConsAddress) bool {
	return s.tombstoned[s.operator(address)]
}

// powers iterates over entries in memory.
type powers struct{ entries [][2][]byte }

func (p *powers) Domain() (start, end []byte) { return nil, nil }
func (p *powers) Valid() bool                 { return len(p.entries) > 0 }
func (p *powers) Next()                       { p.entries = p.entries[1:] }
func (p *powers) Key() []byte                 { return p.entries[0][0] }
func (p *powers) Value() []byte               { return p.entries[0][1] }
func (p *powers) Error() error                { return nil }
func (p *powers) Close() error                { return nil }
