// SPDX-License-Identifier: Apache-2.0

package route

import (
	"sync"
	"time"
)

// Pause says how long hosts are left alone.
type Pause struct {
	// First follows a failure; each further one doubles it, up to Most.
	First, Most time.Duration
	// Wrong follows a wrong receipt.
	Wrong time.Duration
	// Full follows a refusal for want of room.
	Full time.Duration
}

// Cooldowns remembers, in memory only, which hosts have failed lately. Its methods may be called from several goroutines.
type Cooldowns struct {
	pause Pause

	mu    sync.Mutex // guards hosts
	hosts map[[20]byte]*cooldown
}

type cooldown struct {
	failures int
	until    time.Time // of the pause after failures
	barred   time.Time // end of the pause after a wrong receipt
	full     time.Time // end of the pause after a refusal for want of room
}

// NewCooldowns returns an empty memory.
func NewCooldowns(p Pause) *Cooldowns {
	return &Cooldowns{pause: p, hosts: make(map[[20]byte]*cooldown)}
}

func (c *Cooldowns) of(host [20]byte) *cooldown {
	d := c.hosts[host]
	if d == nil {
		d = &cooldown{}
		c.hosts[host] = d
	}
	return d
}

// Failed notes that a host refused or failed.
func (c *Cooldowns) Failed(host [20]byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.of(host)
	pause := c.pause.First
	for range d.failures {
		if pause >= c.pause.Most {
			break
		}
		pause *= 2
	}
	d.failures++
	d.until = now.Add(min(pause, c.pause.Most))
}

// Lied notes that a host signed a wrong receipt.
func (c *Cooldowns) Lied(host [20]byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(host).barred = now.Add(c.pause.Wrong)
}

// Full notes that a host refused for want of room, which is no failure.
func (c *Cooldowns) Full(host [20]byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(host).full = now.Add(c.pause.Full)
}

// Served notes that a host has served: its failures are forgotten, a wrong receipt and a want of room are not.
func (c *Cooldowns) Served(host [20]byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.hosts[host]
	if d == nil {
		return
	}
	if now.Before(d.barred) || now.Before(d.full) {
		d.failures, d.until = 0, time.Time{}
		return
	}
	delete(c.hosts, host)
}

// Ready keeps the candidates that are not left alone. When all of them only failed, they are all that there is, and are tried again;
// hosts that signed a wrong receipt or are full are not.
func (c *Cooldowns) Ready(candidates []Candidate, now time.Time) []Candidate {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ready, cooling []Candidate
	for _, cand := range candidates {
		d := c.hosts[cand.Host.Key]
		switch {
		case d == nil:
			ready = append(ready, cand)
		case now.Before(d.barred) || now.Before(d.full):
		case !now.Before(d.until):
			ready = append(ready, cand)
		default:
			cooling = append(cooling, cand)
		}
	}
	if len(ready) == 0 {
		return cooling
	}
	return ready
}

// AnyFull reports whether one of the candidates refused just now for want of room.
func (c *Cooldowns) AnyFull(candidates []Candidate, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cand := range candidates {
		if d := c.hosts[cand.Host.Key]; d != nil && now.Before(d.full) {
			return true
		}
	}
	return false
}

// Cooling is how many hosts are left alone.
func (c *Cooldowns) Cooling(now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, d := range c.hosts {
		if now.Before(d.until) || now.Before(d.barred) || now.Before(d.full) {
			n++
		}
	}
	return n
}
