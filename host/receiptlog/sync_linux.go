// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"errors"
	"os"
	"syscall"
)

// syncData makes a file's bytes durable, with its length but without its times: what is needed to read them again.
func syncData(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for failed = syscall.EINTR; errors.Is(failed, syscall.EINTR); {
			failed = syscall.Fdatasync(int(fd)) //nolint:gosec // a file descriptor is a small number
		}
	})
	if err == nil && failed != nil {
		err = &os.PathError{Op: "fdatasync", Path: f.Name(), Err: failed}
	}
	return err
}
