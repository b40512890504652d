// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/host"
	"github.com/gpucoord/gpucoord/host/enginesim"
	"github.com/gpucoord/gpucoord/host/wire"
)

// writeCert writes a throwaway certificate for 127.0.0.1 and returns its pool.
func writeCert(t *testing.T, cfg *host.Config) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg.TLSCertFile, cfg.TLSKeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, b := range map[string][]byte{
		cfg.TLSCertFile: certPEM, cfg.TLSKeyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

func TestStreamOverHTTP2HasTheTrailer(t *testing.T) {
	var pool *x509.CertPool
	f := newFixture(t, func(c *host.Config, _ *enginesim.Config) { pool = writeCert(t, c) })
	stop := f.run(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := f.streamed("3").http(t.Context(), "https://"+f.host.PublicAddr())
	if err != nil {
		t.Fatal(err)
	}
	a := f.doWith(&http.Client{Transport: transport}, req)
	_, encoded := splitStream(t, a.body)
	if rec := f.record(encoded); rec.OutputTokens != 3 || a.trailer.Get(wire.HeaderReceipt) != encoded || a.proto != 2 {
		t.Fatalf("got HTTP/%d, %+v, trailer %q", a.proto, rec, a.trailer)
	}
	transport.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
