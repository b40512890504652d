// SPDX-License-Identifier: Apache-2.0

package types

import (
	"bytes"
	"encoding/json"
	"time"

	errorsmod "cosmossdk.io/errors"

	"github.com/gpucoord/gpucoord/domain/anchor"
)

// OriginID returns the id of the chain that starts with this genesis.
//
// appState is the genesis file's app_state in any JSON spelling: it is hashed with its keys sorted, without insignificant white
// space, with numbers as they are written and no more escapes in strings than JSON needs. A node may be given the genesis as the
// file has it, or as its database kept it; both have to give one id.
// Errors: ErrInvalidGenesis when appState is not JSON.
func OriginID(chainID string, genesisTime time.Time, initialHeight int64, appState []byte) ([32]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(appState))
	decoder.UseNumber() // a float would change large integers
	var state any
	if err := decoder.Decode(&state); err != nil {
		return [32]byte{}, errorsmod.Wrapf(ErrInvalidGenesis, "app_state: %s", err)
	}
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(state); err != nil {
		return [32]byte{}, errorsmod.Wrapf(ErrInvalidGenesis, "app_state: %s", err)
	}
	seconds, nanos := genesisTime.Unix(), genesisTime.Nanosecond()
	text := bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))                                         // the encoder's own
	return anchor.OriginID(chainID, seconds, uint32(nanos), uint64(max(initialHeight, 1)), text), nil //nolint:gosec // both are in range
}
