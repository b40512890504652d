// SPDX-License-Identifier: Apache-2.0

// Package sigcheck recovers the signers of receipts, and signs them, as fast as the build allows: with libsecp256k1 where
// there is a C compiler, else in pure Go. Both give the same bytes for every input; a test holds them to it.
package sigcheck
