// SPDX-License-Identifier: Apache-2.0

// Package watch is the watchtower: it follows every batch, fetches its records, applies to them every rule that the chain
// would apply to a sample, rebuilds the trees, remembers what is claimed where, and files the challenge that fits what it finds.
//
// It works in steps that share one durable store, each of which can be interrupted at any line:
//
//	follow   reads new batches by their ids
//	fetch    downloads their DA files; one that cannot be had in time is demanded on the chain (F5)
//	check    examines a file: rules (F2), sums (F3), order (F4), second claims
//	resolve  makes evidence of two places at which one job, seq or payment is claimed (F1, F1')
//	file     commits to evidence, waits for the block, and reveals it
//	prune    forgets epochs whose bonds nobody can reach any more
//
// All evidence is judged here as the chain judges it before anything is filed: a wrong report costs the reporter's bond.
//
// # What it cannot show
//
// A tree that differs from its records in more than one place, or in what no sum tells, is demanded leaf by leaf: each demand has
// the chance of the part of the leaves that are wrong. A record that keeps every rule and lies about its job is not found here.
package watch
