// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"errors"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
)

// Errors of the log.
var (
	ErrDamaged = errors.New("receipt log is damaged: stop here, restore the directory from a copy, or register a new host key " +
		"with a new directory; do not delete frames by hand")
	ErrVersion = errors.New("receipt log is of another version of the host: let that version close its epochs, then register a new host key " +
		"with a new directory")
	ErrForeign = errors.New("receipt log is of another chain or host key: give each key its own data directory")
	ErrLocked  = errors.New("receipt log is in use by another process: stop it first")
	ErrFailed  = errors.New("receipt log failed to write and takes nothing more: free or replace the disk, then restart the host")
	ErrClosed  = errors.New("receipt log is closed: the host is stopping, send the job elsewhere")
)

// Options configure a log. Zero numbers mean the defaults.
type Options struct {
	// Dir is the log's own directory; it is created.
	Dir string
	// Domain and HostKey say whose log it is.
	Domain  receipt.Domain
	HostKey [20]byte
	// SegmentBytes is the size from which a new segment is begun (default 64 MiB).
	SegmentBytes int64
	// MaxBatchBytes bounds what one write and sync takes (default 1 MiB).
	MaxBatchBytes int
	// QueueLen bounds how many appends wait for a write (default 1024); further ones block until their context ends.
	QueueLen int
	// IndexEpochs is how many epochs before the newest one stay findable by job (default 3).
	IndexEpochs uint64
	// KeepEpochs is how many epochs before the newest one stay on disk (default 32).
	KeepEpochs uint64
	// Synced is told the size of each write and the time it took until it was durable; nil is ignored.
	Synced func(appends int, took time.Duration)
}

func (o Options) withDefaults() Options {
	setDefault(&o.SegmentBytes, 64<<20)
	setDefault(&o.MaxBatchBytes, 1<<20)
	setDefault(&o.QueueLen, 1024)
	setDefault(&o.IndexEpochs, 3)
	setDefault(&o.KeepEpochs, 32)
	if o.Synced == nil {
		o.Synced = func(int, time.Duration) {}
	}
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Visitor is told what the log holds while it is opened, oldest first.
type Visitor interface {
	// Admitted is told of a job that was admitted.
	Admitted(a Admission)
	// Served is told of a receipt; amount is in micro-USD.
	Served(jobID [32]byte, epoch, seq, amount uint64)
	// Countersigned is told of a countersignature.
	Countersigned(jobID [32]byte)
}
