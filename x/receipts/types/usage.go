// SPDX-License-Identifier: Apache-2.0

package types

// UsageEntry is one usage row of an operator in an epoch with what its eligibility depends on. Amounts are in uusdc.
type UsageEntry struct {
	Settler         [AddressLength]byte
	Class           Class
	Amount          uint64 // sum of the settled groups' amounts
	Take            uint64 // sum of their takes, as settled
	Pool            uint64 // the epoch pool's part of Take
	Tokens          uint64
	OK              uint64 // successful jobs
	Fail            uint64 // failed jobs
	TotalSpend      uint64 // what the settler spent on all operators in the epoch
	ControllerSpend uint64 // what it spent on all operators of this operator's controller
	Accredited      bool   // the settler's gateway was accredited when the row was first credited
	SameController  bool   // settler and operator have one controller
}
