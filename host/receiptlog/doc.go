// SPDX-License-Identifier: Apache-2.0

// Package receiptlog is the host's durable memory: an append-only log of admitted jobs, signed receipts and countersignatures.
//
// # Files
//
// A directory holds segments named <base offset, 20 decimal digits>.seg and a LOCK file. Offsets are logical: the byte position counted
// over all segments ever written, so that an offset stays valid when old segments are deleted. A segment is a sequence of frames
//
//	length u32 | crc32c u32 | kind u8 | payload
//
// big-endian, where length counts the payload and the CRC (Castagnoli) covers kind and payload. Every kind has one payload length:
//
//	1 RECEIPT 533  the SR1 record without countersignature
//	2 FINAL    97  jobId 32 | sigFinal 65
//	3 OPEN     97  jobId 32 | payer 20 | nonce u64 | expiresAt u64 | maxAmount u64 | 1 if a countersignature is owed, else 2 | settler 20
//	4 RESERVE  16  through u64 | next u64: seq up to through may be used; next > 0 only at a clean close, the first one never used
//	5 HEADER   85  version 2 | chain salt 32 | host key 20 | base u64 | high seq u64 | reserved through u64 | epoch u64; first in a segment
//
// # Durability
//
// An append returns after its frame is on disk. One goroutine writes: it takes all appends that wait, writes them at once and syncs once.
// A failed write or sync ends the log: every later append returns ErrFailed and the process has to be started again.
// Opening cuts a torn tail: bytes after the last whole frame that hold no whole frame, that one write can have left, and that are either
// an incomplete frame or end in a zero byte (a page that never reached the disk). Every other damage is ErrDamaged.
//
// What the log does not prove: that nothing was deleted together with the frames that name it (a copy restored from a backup looks whole;
// the chain's watermark finds it).
package receiptlog
