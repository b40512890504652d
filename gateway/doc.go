// SPDX-License-Identifier: Apache-2.0

// Package gateway is the reference gateway: customers call it with an API key, and it finds a host, pays it and checks its receipt.
//
// What it promises, in the order things happen to a request:
//
//  1. The most a request can cost is reserved on disk before its signed authorisation leaves the gateway; credit is never below 0.
//  2. Hosts come from the chain alone and are drawn by routing weight. One that refuses or fails before the first byte is left alone for
//     a while, and another one is asked with a new authorisation.
//  3. A receipt is countersigned only if it is of that authorisation and claims what the gateway saw delivered; receipt and
//     countersignature are on disk before the countersignature is sent. A customer pays the amount of a right receipt, else nothing.
//  4. A gateway that stops at any line goes on from its ledger: what was reserved is settled from the host's receipt or released.
//
// It writes no prompt, output, API key, address or customer to logs, metrics or disk: the ledger holds hashes, counts and signatures.
package gateway
