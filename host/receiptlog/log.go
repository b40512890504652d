// SPDX-License-Identifier: Apache-2.0

package receiptlog

import (
	"errors"
	"os"
	"sync"
)

// Log is an open receipt log. Its methods may be called concurrently.
type Log struct {
	opts  Options
	lock  *os.File
	queue chan *appendRequest
	done  chan struct{} // closed when the writer has ended
	// frames is what is written next, owned by whoever commits: the writer, and Close after it.
	frames []byte

	closing sync.RWMutex // held for reading while an append is being queued
	closed  bool         // guarded by closing

	mu       sync.RWMutex // guards what follows; written by the writer only
	segments []*segment   // ascending; the last one is written to
	index    *index
	highSeq  uint64
	reserved uint64 // the last sequence number reserved on disk
	err      error
	failed   chan struct{} // closed when err is set

	seq       seqBlock
	unclean   bool
	tornBytes int64
}

// Failed is closed when the log cannot write any more; Err then says why.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Err returns the write error that ended the log, if any.
func (l *Log) Err() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.err
}

// Stats says where the log stands.
type Stats struct {
	// First and End are the offsets of the oldest kept byte and after the newest durable one.
	First, End int64
	// HighSeq is the highest sequence number of a receipt ever logged.
	HighSeq uint64
	// NewestEpoch is the highest epoch of a receipt ever logged.
	NewestEpoch uint64
	// Indexed is how many receipts are findable by job.
	Indexed int
	// Unclean says whether the previous process did not close the log; TornBytes is what was cut then.
	Unclean   bool
	TornBytes int64
}

// Stats returns where the log stands.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	last := l.segments[len(l.segments)-1]
	return Stats{
		First: l.segments[0].base, End: last.base + last.size, HighSeq: l.highSeq, NewestEpoch: l.index.newest,
		Indexed: l.index.len(), Unclean: l.unclean, TornBytes: l.tornBytes,
	}
}

// HighSeq returns the highest sequence number of a receipt ever logged, 0 if none was.
func (l *Log) HighSeq() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.highSeq
}

// Close takes no more appends, waits for those that are queued, notes the clean close and releases the directory.
// Closing twice is allowed.
func (l *Log) Close() error {
	l.closing.Lock()
	if l.closed {
		l.closing.Unlock()
		return nil
	}
	l.closed = true
	l.closing.Unlock()
	close(l.queue)
	<-l.done
	err := l.Err()
	if err == nil {
		err = l.commit([]*appendRequest{l.seq.cleanClose()})
	}
	return errors.Join(err, l.closeFiles())
}

func (l *Log) closeFiles() error {
	var errs []error
	for _, s := range l.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(append(errs, l.lock.Close())...)
}
