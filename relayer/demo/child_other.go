// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package demo

import "syscall"

// childAttributes put a child in a group of its own, so that a terminal's Ctrl-C reaches the demo alone.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
