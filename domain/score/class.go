// SPDX-License-Identifier: Apache-2.0

package score

// Class is the way in which work came to its operator.
type Class uint8

// The classes of work. 0 is no class.
const (
	// ClassRouted is work that a gateway sent where its routing chose.
	ClassRouted Class = iota + 1
	// ClassPinned is work that a customer sent to one operator through a gateway.
	ClassPinned
	// ClassTrial is free work; it never counts.
	ClassTrial
	// ClassDirect is work whose money the operator collected himself; its settler is the operator.
	ClassDirect
)

// String returns the name of the class in documents and test vectors.
func (c Class) String() string {
	switch c {
	case ClassRouted:
		return "routed"
	case ClassPinned:
		return "pinned"
	case ClassTrial:
		return "trial"
	case ClassDirect:
		return "direct"
	default:
		return "unknown"
	}
}

func (c Class) valid() bool {
	return ClassRouted <= c && c <= ClassDirect
}

// Reason says why an entry counts or does not.
type Reason uint8

// The reasons, in the order in which they are looked at; the first that holds is the entry's.
const (
	ReasonUnfunded Reason = iota + 1
	ReasonDisputed
	ReasonTrial
	ReasonSameController
	ReasonCounted
)

// String returns the name of the reason in documents and test vectors.
func (r Reason) String() string {
	switch r {
	case ReasonUnfunded:
		return "UNFUNDED"
	case ReasonDisputed:
		return "DISPUTED"
	case ReasonTrial:
		return "TRIAL"
	case ReasonSameController:
		return "SAME_CONTROLLER"
	case ReasonCounted:
		return "COUNTED"
	default:
		return "UNKNOWN"
	}
}
