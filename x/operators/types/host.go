// SPDX-License-Identifier: Apache-2.0

package types

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	errorsmod "cosmossdk.io/errors"
)

const (
	maxEndpointBytes = 256
	maxCRNHashBytes  = 64
	maxHostModels    = 32
	maxHostAdapters  = 64
	maxNameBytes     = 128
	// maxModelsBytes bounds ids and names of all models together: others read and write the whole host, for example to take a
	// device from it, and a page of queries carries 200 hosts.
	maxModelsBytes = 32_768
	// maxPrice is one million USD for 10^6 tokens; it keeps a price times a token count within 128 bits.
	maxPrice = 1_000_000_000_000
)

// HostID returns SHA-256("GCH1" | operator 20 | number u64), the id of an operator's host.
func HostID(operator [AddressLength]byte, number uint64) [HashLength]byte {
	buf := make([]byte, 0, 4+AddressLength+8)
	buf = append(buf, "GCH1"...)
	buf = append(buf, operator[:]...)
	buf = binary.BigEndian.AppendUint64(buf, number)
	return sha256.Sum256(buf)
}

// HostOffer is what a host says about itself.
type HostOffer struct {
	Endpoint      string      // base URL, http or https, at most 256 bytes
	TLSSPKISHA256 []byte      // 32 bytes or empty
	CRNHash       string      // lower-case hex, at most 64 bytes, or empty
	Models        []HostModel // at most 32, model ids and served names unique, ids and names together at most 32,768 bytes
}

// Validate checks the offer. Errors: ErrInvalidRequest.
func (o HostOffer) Validate() error {
	if err := checkEndpoint(o.Endpoint); err != nil {
		return err
	}
	if n := len(o.TLSSPKISHA256); n != 0 && n != HashLength {
		return errorsmod.Wrapf(ErrInvalidRequest, "tls_spki_sha256 has %d bytes, want 32 or none", n)
	}
	if len(o.CRNHash) > maxCRNHashBytes || !isLowerHex(o.CRNHash) {
		return errorsmod.Wrap(ErrInvalidRequest, "crn_hash is not lower-case hex of at most 64 characters")
	}
	if len(o.Models) > maxHostModels {
		return errorsmod.Wrapf(ErrInvalidRequest, "%d models, at most %d", len(o.Models), maxHostModels)
	}
	ids, names, size := make(map[string]bool), make(map[string]bool), 0
	for i := range o.Models {
		m := &o.Models[i]
		if err := m.validate(); err != nil {
			return errorsmod.Wrapf(err, "model %d", i)
		}
		if size += m.bytes(); size > maxModelsBytes {
			return errorsmod.Wrapf(ErrInvalidRequest, "ids and names of the models have more than %d bytes together", maxModelsBytes)
		}
		if ids[string(m.ModelId)] || names[m.ServedName] {
			return errorsmod.Wrapf(ErrInvalidRequest, "model %d: id or served name is listed twice", i)
		}
		ids[string(m.ModelId)], names[m.ServedName] = true, true
	}
	return nil
}

// checkEndpoint accepts scheme, host, port and path. It does not use net/url, whose leniency may change with the Go version.
func checkEndpoint(endpoint string) error {
	if len(endpoint) > maxEndpointBytes {
		return errorsmod.Wrapf(ErrInvalidRequest, "endpoint has %d bytes, at most %d", len(endpoint), maxEndpointBytes)
	}
	rest, ok := strings.CutPrefix(endpoint, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(endpoint, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	if !ok || host == "" {
		return errorsmod.Wrap(ErrInvalidRequest, "endpoint does not begin with https:// or http:// and a host")
	}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`@?#\"<>`, c) >= 0 {
			return errorsmod.Wrap(ErrInvalidRequest, "endpoint has a space, a control or non-ASCII character, or one of @ ? # \\ \" < >")
		}
	}
	return nil
}

func (m *HostModel) validate() error {
	if err := checkID("model_id", m.ModelId); err != nil {
		return err
	}
	if m.PriceInUusdc > maxPrice || m.PriceOutUusdc > maxPrice {
		return errorsmod.Wrapf(ErrInvalidRequest, "a price is above %d", uint64(maxPrice))
	}
	if err := checkName("served_name", m.ServedName); err != nil {
		return err
	}
	if len(m.AdapterIds) > maxHostAdapters || len(m.AdapterIds) != len(m.AdapterNames) {
		return errorsmod.Wrapf(ErrInvalidRequest, "%d adapters with %d names, at most %d and as many names",
			len(m.AdapterIds), len(m.AdapterNames), maxHostAdapters)
	}
	ids, names := make(map[string]bool), map[string]bool{m.ServedName: true}
	for i, id := range m.AdapterIds {
		if err := checkID("adapter_id", id); err != nil {
			return err
		}
		if err := checkName("adapter_name", m.AdapterNames[i]); err != nil {
			return err
		}
		if ids[string(id)] || names[m.AdapterNames[i]] {
			return errorsmod.Wrapf(ErrInvalidRequest, "adapter %d: id or name is listed twice", i)
		}
		ids[string(id)], names[m.AdapterNames[i]] = true, true
	}
	return nil
}

// bytes is the length of all ids and names.
func (m *HostModel) bytes() int {
	size := len(m.ModelId) + len(m.ServedName)
	for i := range m.AdapterIds {
		size += len(m.AdapterIds[i]) + len(m.AdapterNames[i])
	}
	return size
}

func checkName(field, name string) error {
	if name == "" {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s is empty", field)
	}
	return checkText(field, name, maxNameBytes)
}

// checkID refuses ids that are not 32 bytes, and the zero id, which means "none" in receipts.
func checkID(field string, id []byte) error {
	if len(id) != HashLength {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s has %d bytes, want 32", field, len(id))
	}
	if [HashLength]byte(id) == ([HashLength]byte{}) {
		return errorsmod.Wrapf(ErrInvalidRequest, "%s is zero", field)
	}
	return nil
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
