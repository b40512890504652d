// SPDX-License-Identifier: Apache-2.0

package receipt

import "testing"

func TestTypeHashesAreThoseOfTheTypeStrings(t *testing.T) {
	for typeString, want := range map[string][32]byte{
		domainType:  domainTypeHash,
		jobAuthType: jobAuthTypeHash,
		receiptType: receiptTypeHash,
	} {
		if got := keccak256([]byte(typeString)); got != want {
			t.Errorf("hash of %q is %x, want %x", typeString, got, want)
		}
	}
}
