// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/gpucoord/gpucoord/relayer/da"
)

// Errors of the [watch] and [da] sections.
var (
	ErrWatchBytes  = errors.New("watch.max_bytes must be at least 1000000 and watch.cache_bytes at least watch.max_bytes")
	ErrWatchFetch  = errors.New("watch.fetch_tries and watch.fetches must be 1 to 100, watch.fetch_wait and watch.fetch_timeout at least 100ms, watch.workers not negative")
	ErrWatchShared = errors.New("watch.reporter_key_file is the relayer's own key: give the watchtower an account of its own, they would take each other's sequence")
	ErrPinURL      = errors.New("da.pin_url must be an http or https address without user and fragment")
	ErrPinTimes    = errors.New("da.pin_interval must be at least 1s and da.pin_timeout at least 1s")
)

// Watch is the watchtower, which checks other operators' batches and reports fraud.
type Watch struct {
	// Enabled turns it on. A file with it and without hosts needs no operator, account_key_file and serve.public_url.
	Enabled bool `toml:"enabled"`
	// Operators are those whose batches are watched, bech32; empty means all.
	Operators []string `toml:"operators"`
	// ReporterKeyFile is the key of the account that reports and holds the bonds for it; no other program may use it. Empty means
	// that findings are counted and logged only.
	ReporterKeyFile string `toml:"reporter_key_file"`
	// Allow are the addresses that records may be read from: "*" for every public one, host, or host:port, which may be private.
	Allow []string `toml:"allow"`
	// MaxBytes is the largest DA file that is read; a batch that may be larger is not checked. CacheBytes is about the most that
	// all files may take together.
	MaxBytes   int64 `toml:"max_bytes"`
	CacheBytes int64 `toml:"cache_bytes"`
	// FetchTries is how often records are asked for before they count as withheld and are demanded on the chain, FetchWait the time
	// between two tries, FetchTimeout that of one, besides one second for each 256 KiB.
	FetchTries   int      `toml:"fetch_tries"`
	FetchWait    Duration `toml:"fetch_wait"`
	FetchTimeout Duration `toml:"fetch_timeout"`
	// Fetches is how many files are read at a time, Workers how many records are checked; 0 means one for each core.
	Fetches int `toml:"fetches"`
	Workers int `toml:"workers"`
}

// defaultWatch is a watchtower that is off.
func defaultWatch() Watch {
	return Watch{
		Allow:    []string{da.Anyone},
		MaxBytes: 1 << 30, CacheBytes: 20 << 30, // 1.7 million receipts in a batch, 35 million in all
		FetchTries: 5, FetchWait: Duration(time.Minute), // an operator may restart his machine; challenge windows last hours
		FetchTimeout: Duration(30 * time.Second), Fetches: 8,
	}
}

func (w *Watch) check() error {
	switch {
	case !w.Enabled:
		return nil
	case w.MaxBytes < 1_000_000 || w.CacheBytes < w.MaxBytes:
		return ErrWatchBytes
	case w.FetchTries < 1 || w.FetchTries > 100 || w.Fetches < 1 || w.Fetches > 100 || w.Workers < 0,
		w.FetchWait < Duration(100*time.Millisecond) || w.FetchTimeout < Duration(100*time.Millisecond):
		return ErrWatchFetch
	}
	_, err := da.ParsePolicy(w.Allow)
	return err
}

// DA says where the records of batches are kept besides here.
type DA struct {
	// PinURL takes every DA file by POST as a multipart form's part "file": Aleph's /api/v0/storage/add_file or
	// /api/v0/ipfs/add_file, or /api/v0/add of an IPFS node. Empty means that files are served from here alone.
	PinURL string `toml:"pin_url"`
	// PinTokenFile holds a bearer token for it; empty for none.
	PinTokenFile string `toml:"pin_token_file"`
	// PinInterval is how often new files are looked for, PinTimeout how long one offer may take.
	PinInterval Duration `toml:"pin_interval"`
	PinTimeout  Duration `toml:"pin_timeout"`
}

// defaultDA pins nothing.
func defaultDA() DA {
	return DA{PinInterval: Duration(30 * time.Second), PinTimeout: Duration(10 * time.Minute)}
}

// isPinURL allows a query, with which IPFS takes its options.
func isPinURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Fragment == "" && u.User == nil
}

func (d *DA) check() error {
	switch {
	case d.PinURL == "":
		return nil
	case !isPinURL(d.PinURL):
		return fmt.Errorf("%w: %q", ErrPinURL, d.PinURL)
	case d.PinInterval < Duration(time.Second) || d.PinTimeout < Duration(time.Second):
		return ErrPinTimes
	}
	return nil
}
