// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package probe

import "fmt"

// noDriver stands where the program was built without cgo, which NVML needs.
type noDriver struct{}

func newDriver() driver { return noDriver{} }

func newSimulation(string) (driver, error) {
	return nil, fmt.Errorf("%w: built without cgo", ErrNoDriver)
}

func (noDriver) open() error { return fmt.Errorf("%w: built without cgo", ErrNoDriver) }

func (noDriver) close() {}

func (noDriver) devices() ([]Device, error) { return nil, ErrNoDriver }
