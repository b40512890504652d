// SPDX-License-Identifier: Apache-2.0

package difftest

import (
	"reflect"
	"strings"
)

// errorName is the Solidity name of an error that the binding decoded.
func errorName(decoded any) string {
	return strings.TrimPrefix(reflect.Indirect(reflect.ValueOf(decoded)).Type().Name(), "ReceiptAnchor")
}
