// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package receiptlog

import "os"

// syncData makes a file's bytes durable, with its length.
func syncData(f *os.File) error { return f.Sync() }
