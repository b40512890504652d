// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package probe

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxa100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxb200"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh200"
)

const mib = 1 << 20

// nvmlDriver reads devices through NVML or through one of its mock servers.
type nvmlDriver struct{ lib nvml.Interface }

func newDriver() driver { return &nvmlDriver{lib: nvml.New()} }

// newSimulation returns a mock server. Most methods of a mock are not set and panic: devices calls only those that are.
func newSimulation(name string) (driver, error) {
	var lib nvml.Interface
	switch name {
	case "dgx-a100":
		lib = dgxa100.New()
	case "dgx-h100":
		lib = dgxh100.New()
	case "dgx-h200":
		lib = dgxh200.New()
	case "dgx-b200":
		lib = dgxb200.New()
	default:
		return nil, fmt.Errorf("%w: %q", ErrUnknownMachine, name)
	}
	return &nvmlDriver{lib: lib}, nil
}

// open loads the library. After a failure no symbol of it is resolved, and any further call, even for the text of the
// error, would end the process.
func (d *nvmlDriver) open() error {
	if ret := d.lib.Init(); ret != nvml.SUCCESS {
		return fmt.Errorf("%w (NVML error %d)", ErrNoDriver, int(ret))
	}
	return nil
}

func (d *nvmlDriver) close() { _ = d.lib.Shutdown() } // it only read

func (d *nvmlDriver) devices() ([]Device, error) {
	count, ret := d.lib.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return nil, fault("count devices", ret)
	}
	devices := make([]Device, 0, count)
	for i := range count {
		handle, ret := d.lib.DeviceGetHandleByIndex(i)
		if ret != nvml.SUCCESS {
			return nil, fault(fmt.Sprintf("device %d", i), ret)
		}
		device, err := describe(handle, i)
		if err != nil {
			return nil, err
		}
		devices = append(devices, device)
	}
	return devices, nil
}

func describe(handle nvml.Device, index int) (Device, error) {
	d := Device{Index: uint32(index)} //nolint:gosec // a machine has few devices
	var ret nvml.Return
	if d.UUID, ret = handle.GetUUID(); ret != nvml.SUCCESS {
		return d, fault(fmt.Sprintf("UUID of device %d", index), ret)
	}
	if d.Name, ret = handle.GetName(); ret != nvml.SUCCESS {
		return d, fault(fmt.Sprintf("name of device %d", index), ret)
	}
	memory, ret := handle.GetMemoryInfo()
	if ret != nvml.SUCCESS {
		return d, fault(fmt.Sprintf("memory of device %d", index), ret)
	}
	d.MemoryMiB = memory.Total / mib
	if d.ComputeMajor, d.ComputeMinor, ret = handle.GetCudaComputeCapability(); ret != nvml.SUCCESS {
		return d, fault(fmt.Sprintf("compute capability of device %d", index), ret)
	}
	return d, nil
}

func fault(what string, ret nvml.Return) error {
	return fmt.Errorf("%w: %s: error %d", ErrNVML, what, int(ret))
}
