// SPDX-License-Identifier: Apache-2.0

package evm

// NewRemoteKey lets tests speak to a signer without a socket.
var NewRemoteKey = newRemoteKey
