// SPDX-License-Identifier: Apache-2.0

package gateway

// Public is the rule for addresses that hosts may have.
var Public = public
