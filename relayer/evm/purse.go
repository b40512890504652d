// SPDX-License-Identifier: Apache-2.0

package evm

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Purse pays for transactions: one account, which needs nothing but the chain's coin. No other program may use it.
type Purse interface {
	// Address is the account.
	Address() common.Address
	// Sign signs tx for the chain. Errors: ErrSigner, ErrSignerLied, the context's.
	Sign(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)
}

// fileKey is the key of a keystore file.
type fileKey struct{ key *keystore.Key }

// OpenKeyFile reads a geth keystore file (version 3) and the file with its password; white space around the password is not part of it.
//
// Errors: ErrKeyMode, ErrKeyFile, the file system's.
func OpenKeyFile(keyFile, passwordFile string) (Purse, error) {
	sealed, err := readPrivate(keyFile)
	if err != nil {
		return nil, err
	}
	password, err := readPrivate(passwordFile)
	if err != nil {
		return nil, err
	}
	key, err := keystore.DecryptKey(sealed, strings.TrimSpace(string(password)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKeyFile, keyFile, err)
	}
	return fileKey{key: key}, nil
}

func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s", ErrKeyMode, path)
	}
	return os.ReadFile(path)
}

// Address implements Purse.
func (k fileKey) Address() common.Address { return k.key.Address }

// Sign implements Purse.
func (k fileKey) Sign(_ context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	return types.SignTx(tx, types.LatestSignerForChainID(chainID), k.key.PrivateKey)
}
