// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"

	receiptstypes "github.com/gpucoord/gpucoord/x/receipts/types"
)

// allPassed is the last line of "gpucoord verify receipt" when nothing is left unchecked.
const allPassed = "all checks passed"

// ReceiptReport says how one receipt was verified.
type ReceiptReport struct {
	Batch uint64 `json:"batch"`
	Group int    `json:"group"`
	Leaf  uint64 `json:"leaf"`
	// Bundle is the file with the evidence, Bytes its size.
	Bundle string `json:"bundle"`
	Bytes  int64  `json:"bytes"`
	// Rows are what "gpucoord verify receipt" printed, Conclusion is its last row or why it did not run.
	Rows       []string `json:"rows"`
	Conclusion string   `json:"conclusion"`
	Verified   bool     `json:"verified"`

	bundleLine, verifyLine string // as they can be pasted into a shell
}

// provable names a receipt, the first of a group, and what it is proven against.
type provable struct {
	batch   *receiptstypes.Batch
	group   int
	anchor  uint64 // the nonce
	trusted string // HEIGHT:HASH
}

// header asks the node for its newest header, as HEIGHT:HASH.
func (w *World) header(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.state.Ports.url("rpc", 0)+"/commit", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask the node for a header: %w", err)
	}
	defer response.Body.Close()
	var answer struct {
		Result struct {
			SignedHeader struct {
				Commit struct {
					Height  string `json:"height"`
					BlockID struct {
						Hash string `json:"hash"`
					} `json:"block_id"`
				} `json:"commit"`
			} `json:"signed_header"`
		} `json:"result"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("ask the node for a header: %w", err)
	}
	commit := &answer.Result.SignedHeader.Commit
	return commit.Height + ":" + commit.BlockID.Hash, nil
}

// prove makes a bundle of a receipt and verifies it, with the command line, as anyone would.
func (w *World) prove(ctx context.Context, p provable) *ReceiptReport {
	out := &ReceiptReport{Batch: p.batch.Id, Group: p.group, Bundle: w.home.path("data", "receipt.json")}
	height, _, _ := strings.Cut(p.trusted, ":")
	bundle := []string{
		"receipt", "bundle", "--batch", strconv.FormatUint(p.batch.Id, 10), "--group", strconv.Itoa(p.group), "--leaf", "0",
		"--anchor", strconv.FormatUint(p.anchor, 10), "--trust-height", height, "--node", w.state.Ports.url("rpc", 0),
		"--allow-host", hostOfURL(p.batch.DaUri), "--out", out.Bundle,
	}
	verify := []string{"verify", "receipt", out.Bundle, "--trust", p.trusted, "--evm", w.evm.url, "--contract", w.evm.contract.Hex()}
	out.bundleLine, out.verifyLine = shellLine(w.opts.Node, bundle...), shellLine(w.opts.Node, verify...)
	if _, err := w.commandLine(ctx, bundle); err != nil {
		out.Conclusion = "gpucoord receipt bundle: " + err.Error()
		return out
	}
	if info, err := os.Stat(out.Bundle); err == nil {
		out.Bytes = info.Size()
	}
	text, err := w.commandLine(ctx, verify)
	out.Rows = strings.Split(strings.TrimSpace(string(text)), "\n")
	out.Conclusion = out.Rows[len(out.Rows)-1]
	if out.Conclusion == "" && err != nil {
		out.Conclusion = "gpucoord verify receipt: " + err.Error()
	}
	out.Verified = err == nil && out.Conclusion == allPassed
	return out
}

// commandLine runs gpucoord and returns what it printed. The error has its standard error.
func (w *World) commandLine(ctx context.Context, args []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.opts.Node, args...) //nolint:gosec // our own binary
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = errors.Join(err, errors.New(strings.TrimSpace(stderr.String())))
	}
	return out, err
}

func hostOfURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}
