// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package probe_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/gpucoord/gpucoord/relayer/probe"
	operatorstypes "github.com/gpucoord/gpucoord/x/operators/types"
)

func classes() []*operatorstypes.GPUClass { return operatorstypes.DefaultParams().GpuClasses }

func TestSimulatedMachines(t *testing.T) {
	for name, class := range map[string]string{"dgx-a100": "a100-40g", "dgx-h100": "h100-80g", "dgx-h200": "h200-141g", "dgx-b200": "b200-180g"} {
		t.Run(name, func(t *testing.T) {
			host := [32]byte{1, 2, 3}
			m, err := probe.Simulated(name, host)
			if err != nil {
				t.Fatal(err)
			}
			if !m.Simulated || len(m.Devices) != 8 {
				t.Fatalf("%d devices, simulated %t", len(m.Devices), m.Simulated)
			}
			seen := make(map[[32]byte]bool)
			for i := range m.Devices {
				d := &m.Devices[i]
				got, err := d.Commit(classes())
				if err != nil {
					t.Fatal(err)
				}
				if got.Class != class || got.MemoryMib != d.MemoryMiB || got.Index != uint32(i) {
					t.Errorf("device %d is declared as %+v", i, got)
				}
				if !strings.HasPrefix(d.UUID, "SIMULATED-") || sha256.Sum256([]byte("GCD1"+d.UUID)) != [32]byte(got.DeviceHash) {
					t.Errorf("device %d is %q", i, d.UUID)
				}
				if d.ComputeMajor == 0 {
					t.Errorf("device %d has no compute capability", i)
				}
				seen[d.Hash()] = true
			}
			if len(seen) != 8 {
				t.Errorf("%d different devices, want 8", len(seen))
			}
		})
	}
}

func TestSimulatedDevicesStayAndDifferFromHostToHost(t *testing.T) {
	hash := func(host byte) [32]byte {
		m, err := probe.Simulated("dgx-h100", [32]byte{host})
		if err != nil {
			t.Fatal(err)
		}
		return m.Devices[3].Hash()
	}
	if first, again := hash(1), hash(1); first != again {
		t.Error("a second probe finds another device")
	}
	if hash(1) == hash(2) {
		t.Error("two hosts have the same simulated device")
	}
}

func TestUnknownSimulation(t *testing.T) {
	if _, err := probe.Simulated("dgx-1", [32]byte{}); !errors.Is(err, probe.ErrUnknownMachine) {
		t.Errorf("got %v, want ErrUnknownMachine", err)
	}
}

// TestLocalNeverEndsTheProcess runs with and without a driver: either devices, or the error that says that there are none.
func TestLocalNeverEndsTheProcess(t *testing.T) {
	m, err := probe.Local()
	if m.Simulated {
		t.Error("real devices are said to be simulated")
	}
	if err != nil {
		if !errors.Is(err, probe.ErrNoDriver) || len(m.Devices) != 0 {
			t.Errorf("got %d devices and %v", len(m.Devices), err)
		}
		return
	}
	for _, d := range m.Devices {
		if !strings.HasPrefix(d.UUID, "GPU-") || d.MemoryMiB == 0 {
			t.Errorf("device is %+v", d)
		}
	}
}

func TestClassOf(t *testing.T) {
	for name, c := range map[string]struct {
		device string
		mib    uint64
		want   string
	}{
		"H100":                {"NVIDIA H100 80GB HBM3", 81_559, "h100-80g"},
		"H200":                {"NVIDIA H200", 143_771, "h200-141g"},
		"A100 of two sizes":   {"NVIDIA A100-SXM4-40GB", 40_960, "a100-40g"},
		"the larger":          {"NVIDIA A100-SXM4-80GB", 81_920, "a100-80g"},
		"two words":           {"NVIDIA GeForce RTX 4090", 24_564, "rtx-4090-24g"},
		"L40S":                {"NVIDIA L40S", 46_068, "l40s-48g"},
		"a part of a word":    {"NVIDIA L40", 46_068, ""},
		"not in sequence":     {"NVIDIA 4090 RTX", 24_564, ""},
		"another memory":      {"NVIDIA H100 PCIe", 40_000, ""},
		"within tolerance":    {"NVIDIA H100 80GB HBM3", 80_000, "h100-80g"},
		"unknown":             {"NVIDIA GeForce GT 710", 2_048, ""},
		"a laptop's 4090":     {"NVIDIA GeForce RTX 4090 Laptop GPU", 16_376, ""},
		"a slice of an H100":  {"NVIDIA H100 80GB HBM3 MIG 1g.10gb", 9_984, ""},
		"nothing of the name": {"", 81_559, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := probe.Device{Name: c.device, MemoryMiB: c.mib}
			got, err := d.Class(classes())
			if got != c.want || (c.want == "") != errors.Is(err, probe.ErrUnknownClass) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestOnlySomeDevices(t *testing.T) {
	m := probe.Machine{Devices: []probe.Device{{Index: 0}, {Index: 1}, {Index: 2}}}
	if got := m.Only(nil); len(got) != 3 {
		t.Errorf("%d devices, want all", len(got))
	}
	if got := m.Only([]uint32{2, 0, 9}); len(got) != 2 || got[0].Index != 0 || got[1].Index != 2 {
		t.Errorf("devices are %+v", got)
	}
}
