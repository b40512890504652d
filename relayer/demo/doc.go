// SPDX-License-Identifier: Apache-2.0

// Package demo runs the whole product on one machine: a node, three operators with their hosts and relayers, two
// gateways, two base models and five adapters. It replays requests through gateway, host and engine as real HTTP, waits
// until the chain has settled the epochs they fell into, checks that the money adds up, and says who was paid what and
// why. The chain's anchors go to a contract on an EVM chain, embedded unless one is named, and one receipt is verified from its
// record to that contract.
//
// Everything is real except the work: the engines run no model and the GPUs are simulated. Both are labelled so
// wherever they appear. Every program it starts is a child that ends with it.
package demo
