// SPDX-License-Identifier: Apache-2.0

// Package capacity states a host's GPUs on the chain, again and again before the last statement ages: a probe, bound to a
// recent block's hash, signed with the host's receipt key. Where nothing is found nothing is stated.
package capacity

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gpucoord/gpucoord/domain/epoch"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/relayer/chain"
	"github.com/gpucoord/gpucoord/relayer/loop"
	"github.com/gpucoord/gpucoord/relayer/probe"
	"github.com/gpucoord/gpucoord/relayer/store"
	"github.com/gpucoord/gpucoord/relayer/submit"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

// Errors that a person has to resolve.
var (
	// ErrWrongKey says that the key file does not hold the host's present receipt key.
	ErrWrongKey = errors.New("key_file does not hold the host's present receipt key")
	// ErrNoClass says that none of the devices is of a class that the chain counts.
	ErrNoClass = errors.New("none of the devices is of a class that the chain counts; nothing is declared")
)

// Store is where statements wait to be sent.
type Store interface {
	Item(ctx context.Context, key string) (store.Item, error)
	Enqueue(ctx context.Context, item store.Item) error
}

// HeadOf returns the newest block of the chain.
type HeadOf func(ctx context.Context) (chain.Head, error)

// Probe finds out which devices the host has.
type Probe func() (devices []probe.Device, simulated bool, err error)

// Config says for which host and how often.
type Config struct {
	HostID [32]byte
	Key    *receipt.PrivateKey
	// Sender is the account that signs transactions, bech32.
	Sender   string
	Domain   receipt.Domain
	Interval time.Duration
}

// Stater states one host's capacity.
type Stater struct {
	head  HeadOf
	q     operatorstypes.QueryClient
	store Store
	probe Probe
	cfg   Config
	log   *slog.Logger

	silent bool // owned by Step: that there is no driver was said
}

// New makes a stater.
func New(head HeadOf, q operatorstypes.QueryClient, s Store, p Probe, cfg Config, log *slog.Logger) *Stater {
	return &Stater{head: head, q: q, store: s, probe: p, cfg: cfg, log: log}
}

// Run works until ctx ends.
func (s *Stater) Run(ctx context.Context) error {
	return loop.Every(ctx, s.log, s.cfg.Interval, s.Step)
}

// Step states the capacity if that was not done in the present slot: an epoch, or half the time in which evidence counts
// in full where that is shorter. Devices that were never committed are committed first.
func (s *Stater) Step(ctx context.Context) error {
	head, err := s.head(ctx)
	if err != nil {
		return err
	}
	ctx = chain.AtHeight(ctx, head.Height)
	params, err := s.q.Params(ctx, &operatorstypes.QueryParamsRequest{})
	if err != nil {
		return fmt.Errorf("read the operators' parameters: %w", err)
	}
	schedule := params.Params.Schedule.Domain()
	if _, err := schedule.Of(head.Height); errors.Is(err, epoch.ErrBeforeGenesis) {
		return nil
	}
	slot := (head.Height - schedule.GenesisHeight) / slotBlocks(&params.Params)
	key := fmt.Sprintf("capacity/%x/%d", s.cfg.HostID, slot)
	if known, err := s.known(ctx, key); err != nil || known {
		return err
	}
	devices, simulated, err := s.devices(ctx, &params.Params)
	if err != nil || len(devices) == 0 {
		return err
	}
	res, err := s.q.Host(ctx, &operatorstypes.QueryHostRequest{HostId: hex.EncodeToString(s.cfg.HostID[:])})
	if err != nil {
		return fmt.Errorf("read host: %w", err)
	}
	if len(res.Gpus) == 0 && res.Host.EvidenceHeight == 0 {
		return s.commit(ctx, slot, devices, head.Height+slotBlocks(&params.Params))
	}
	return s.state(ctx, key, &params.Params, res, statement{devices: devices, simulated: simulated})
}

// slotBlocks is how many blocks pass between two statements.
func slotBlocks(p *operatorstypes.Params) uint64 {
	return max(1, min(p.Schedule.EpochBlocks, p.EvidenceFullBlocks/2))
}

func (s *Stater) known(ctx context.Context, key string) (bool, error) {
	_, err := s.store.Item(ctx, key)
	if errors.Is(err, store.ErrNoItem) {
		return false, nil
	}
	return err == nil, err
}

// devices probes the host and finds the class of each device. Without a driver there are none, and that is said once.
func (s *Stater) devices(ctx context.Context, params *operatorstypes.Params) ([]operatorstypes.GPUCommitment, bool, error) {
	found, simulated, err := s.probe()
	if errors.Is(err, probe.ErrNoDriver) {
		if !s.silent {
			s.log.WarnContext(ctx, "no capacity is stated", slog.String("err", err.Error()))
		}
		s.silent = true
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var devices []operatorstypes.GPUCommitment
	for i := range found {
		device, err := found[i].Commit(params.GpuClasses)
		if err != nil {
			s.log.WarnContext(ctx, "device is not declared", slog.String("err", err.Error()))
			continue
		}
		devices = append(devices, device)
	}
	if len(devices) > int(params.MaxGpus) {
		s.log.WarnContext(ctx, "host has more devices than the chain takes; the first are declared", slog.Int("devices", len(devices)))
		devices = devices[:params.MaxGpus]
	}
	if len(devices) == 0 {
		return nil, false, ErrNoClass
	}
	return devices, simulated, nil
}

// commit declares devices; the statement follows when the chain has them.
func (s *Stater) commit(ctx context.Context, slot uint64, devices []operatorstypes.GPUCommitment, deadline uint64) error {
	msg := &operatorstypes.MsgCommitGPUs{Sender: s.cfg.Sender, HostId: s.cfg.HostID[:], Gpus: devices}
	item, err := submit.ItemOf(fmt.Sprintf("commit/%x/%d", s.cfg.HostID, slot), msg, 0, deadline)
	if err != nil {
		return err
	}
	return s.store.Enqueue(ctx, item)
}

// statement is what a host says about its devices.
type statement struct {
	devices   []operatorstypes.GPUCommitment
	simulated bool
}

// state signs a statement over the newest block hash and puts it into the outbox.
func (s *Stater) state(ctx context.Context, key string, params *operatorstypes.Params, on *operatorstypes.QueryHostResponse, st statement) error {
	signer := receipt.KeyAddress(s.cfg.Key)
	if [20]byte(on.Host.ReceiptKey) != signer {
		return fmt.Errorf("%w: the file has %x, the chain %x", ErrWrongKey, signer, on.Host.ReceiptKey)
	}
	res, err := s.q.BlockHash(ctx, &operatorstypes.QueryBlockHashRequest{})
	if err != nil {
		return fmt.Errorf("read the newest block hash: %w", err)
	}
	at, hash := res.BlockHash.Height, res.BlockHash.Hash
	if at <= on.Host.EvidenceHeight || len(hash) != 32 {
		return nil // no block since the last statement
	}
	e, err := params.Schedule.Domain().Of(at)
	if err != nil {
		return err
	}
	nonce := receipt.CapacityNonce(s.cfg.Domain.Salt(), e, [32]byte(hash), signer, [33]byte(s.cfg.Key.PubKey().SerializeCompressed()))
	signature := receipt.Sign(s.cfg.Key, receipt.CapacityStatement(nonce, st.simulated, operatorstypes.StatedGPUs(st.devices)))
	msg := &operatorstypes.MsgSubmitCapacity{
		Sender: s.cfg.Sender, HostId: s.cfg.HostID[:], NonceHeight: at, Simulated: st.simulated, Gpus: st.devices, Signature: signature[:],
	}
	item, err := submit.ItemOf(key, msg, 0, at+params.CapacityNonceBlocks)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "stating capacity", slog.String("host_id", hex.EncodeToString(s.cfg.HostID[:])), slog.Uint64("height", at),
		slog.Int("gpus", len(st.devices)), slog.Bool("simulated", st.simulated))
	return s.store.Enqueue(ctx, item)
}
