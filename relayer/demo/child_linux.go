// SPDX-License-Identifier: Apache-2.0

package demo

import "syscall"

// childAttributes put a child in a group of its own, so that a terminal's Ctrl-C reaches the demo alone, and let the
// kernel end it when the demo dies without a chance to.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
