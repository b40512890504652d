// SPDX-License-Identifier: Apache-2.0

// Package evm brings the chain's attested anchors to ReceiptAnchor contracts on any number of EVM chains.
//
// Each contract has one Anchorer, which keeps nothing on disk: every pass reads the contract, asks the node which anchor
// the contract can take next, verifies it, and sees to it that one transaction of its account is on the way. What the
// contract says decides whether an anchor has landed; receipts only feed the accounts of gas. A pass can be cut off
// anywhere and run anew, by this process or another, and costs nothing but a transaction that was under way.
package evm
