// SPDX-License-Identifier: Apache-2.0

// Package probe reads which GPUs a machine has. What NVML says is a declaration: whoever owns the machine can replace the
// library that answers. So it is one rung of the ladder of evidence, and is labelled so on the chain.
//
// A device is identified chain-wide by SHA256("GCD1" | UUID), where UUID is the text that NVML prints, for example
// "GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f". The UUID itself stays on the machine. Simulated devices have the text
// "SIMULATED-<host id>-<index>" instead, so that those of two hosts differ and nobody takes one for a real one.
package probe

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

// Errors of probes.
var (
	// ErrNoDriver says that there are no GPUs to declare here.
	ErrNoDriver = errors.New("no NVIDIA driver here; nothing is declared")
	// ErrNVML says that the driver answered with an error.
	ErrNVML = errors.New("NVML fails; look at nvidia-smi")
	// ErrUnknownMachine says that there is no simulation of that name.
	ErrUnknownMachine = errors.New("no such simulated machine; give dgx-a100, dgx-h100, dgx-h200 or dgx-b200")
	// ErrUnknownClass says that the chain knows no class for a device.
	ErrUnknownClass = errors.New("chain knows no class for the device; it is not declared")
)

// Device is one GPU.
type Device struct {
	// Index is its place in the machine.
	Index uint32
	// UUID identifies it, Name is the driver's name for it.
	UUID, Name string
	MemoryMiB  uint64
	// ComputeMajor and ComputeMinor are its CUDA compute capability.
	ComputeMajor, ComputeMinor int
}

// Machine is what a probe found.
type Machine struct {
	Devices []Device
	// Simulated says that none of them exists.
	Simulated bool
}

// driver is the little of NVML that a probe needs. Opening it is the only thing that may fail without a driver; nothing
// else of it is called then, because the process would die.
type driver interface {
	open() error
	close()
	devices() ([]Device, error)
}

// Local reads this machine's GPUs.
//
// Errors: ErrNoDriver, ErrNVML.
func Local() (Machine, error) {
	devices, err := read(newDriver())
	return Machine{Devices: devices}, err
}

// Simulated returns the GPUs of a machine such as "dgx-h100" that does not exist. They differ from host to host.
//
// Errors: ErrUnknownMachine, ErrNoDriver where the program was built without cgo.
func Simulated(name string, hostID [32]byte) (Machine, error) {
	d, err := newSimulation(name)
	if err != nil {
		return Machine{}, err
	}
	devices, err := read(d)
	for i := range devices {
		devices[i].UUID = fmt.Sprintf("SIMULATED-%x-%d", hostID, devices[i].Index)
	}
	return Machine{Devices: devices, Simulated: true}, err
}

func read(d driver) ([]Device, error) {
	if err := d.open(); err != nil {
		return nil, err
	}
	defer d.close()
	return d.devices()
}

// Only returns the devices with the given indices; all of them if there are none given.
func (m *Machine) Only(indices []uint32) []Device {
	if len(indices) == 0 {
		return m.Devices
	}
	wanted := make(map[uint32]bool, len(indices))
	for _, i := range indices {
		wanted[i] = true
	}
	var out []Device
	for i := range m.Devices {
		if wanted[m.Devices[i].Index] {
			out = append(out, m.Devices[i])
		}
	}
	return out
}

// Hash identifies the device on the chain.
func (d *Device) Hash() [32]byte { return sha256.Sum256([]byte("GCD1" + d.UUID)) }

// Commit returns the device as the chain takes it.
//
// Errors: ErrUnknownClass.
func (d *Device) Commit(classes []*operatorstypes.GPUClass) (operatorstypes.GPUCommitment, error) {
	class, err := d.Class(classes)
	if err != nil {
		return operatorstypes.GPUCommitment{}, err
	}
	sum := d.Hash()
	return operatorstypes.GPUCommitment{Index: d.Index, Class: class, MemoryMib: d.MemoryMiB, DeviceHash: sum[:]}, nil
}

// memoryTolerance is how far a device's memory may be from its class's, as a part: drivers keep some per cent back.
const memoryTolerance = 20 // 1/20, 5 %

// Class returns the class that a device's name and memory belong to. A class such as "rtx-4090-24g" is meant for devices
// whose name has the words RTX and 4090 in sequence and whose memory is near the class's; of several the nearest is taken.
//
// Errors: ErrUnknownClass.
func (d *Device) Class(classes []*operatorstypes.GPUClass) (string, error) {
	best, distance := "", uint64(0)
	words := splitWords(d.Name)
	for _, c := range classes {
		away := max(c.MemoryMib, d.MemoryMiB) - min(c.MemoryMib, d.MemoryMiB)
		if away > c.MemoryMib/memoryTolerance || !containsSequence(words, modelWords(c.Name)) {
			continue
		}
		if best == "" || away < distance {
			best, distance = c.Name, away
		}
	}
	if best == "" {
		return "", fmt.Errorf("%w: %q with %d MiB", ErrUnknownClass, d.Name, d.MemoryMiB)
	}
	return best, nil
}

// modelWords are the words of a class's name without its memory.
func modelWords(class string) []string {
	words := splitWords(class)
	if n := len(words); n > 1 && strings.HasSuffix(words[n-1], "g") {
		return words[:n-1]
	}
	return words
}

func splitWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func containsSequence(words, part []string) bool {
	for i := 0; i+len(part) <= len(words); i++ {
		found := true
		for j := range part {
			found = found && words[i+j] == part[j]
		}
		if found {
			return true
		}
	}
	return false
}
