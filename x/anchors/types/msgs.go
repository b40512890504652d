// SPDX-License-Identifier: Apache-2.0

package types

// ValidateBasic checks the parameters' bounds.
func (m *MsgUpdateParams) ValidateBasic() error { return m.Params.Validate() }
