// SPDX-License-Identifier: Apache-2.0

package signer_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gpucoord/gpucoord/domain/anchor"
	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/x/anchors/signer"
)

func request(origin byte, nonce, size uint64) signer.Request {
	return signer.Request{Origin: [32]byte{origin}, Anchor: anchor.Anchor{Nonce: nonce, Height: 9, Time: 10, TreeSize: size}}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	address, err := signer.NewKeyFile(path)
	require.NoError(t, err)
	_, err = signer.NewKeyFile(path)
	require.ErrorIs(t, err, os.ErrExist, "no key is ever overwritten")
	key, err := signer.Open(path)
	require.NoError(t, err)
	require.Equal(t, address, key.Address())

	require.NoError(t, os.Chmod(path, 0o640))
	_, err = signer.Open(path)
	require.ErrorIs(t, err, signer.ErrKeyFile)
	for name, text := range map[string]string{"empty": "", "short": "abcd", "zero": hex.EncodeToString(make([]byte, 32)), "words": "not hex"} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err = signer.Open(file)
		require.ErrorIs(t, err, signer.ErrKeyFile, name)
	}
	_, err = signer.Open(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// No two anchors of one nonce are ever signed, also by the next process with the same key; another chain has its own record.
func TestNeverTwoOfOneNonce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	address, err := signer.NewKeyFile(path)
	require.NoError(t, err)
	first, err := signer.Open(path)
	require.NoError(t, err)
	one := request(1, 5, 100)
	signature, err := first.Sign(t.Context(), one)
	require.NoError(t, err)
	by, err := receipt.RecoverAddress(one.Digest(), signature)
	require.NoError(t, err)
	require.Equal(t, address, by)

	second, err := signer.Open(path)
	require.NoError(t, err)
	again, err := second.Sign(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, signature, again)
	_, err = second.Sign(t.Context(), request(1, 5, 101))
	require.ErrorIs(t, err, signer.ErrConflict)
	_, err = second.Sign(t.Context(), request(1, 4, 100))
	require.ErrorIs(t, err, signer.ErrConflict)
	_, err = second.Sign(t.Context(), request(2, 1, 1))
	require.NoError(t, err)
	_, err = second.Sign(t.Context(), request(1, 6, 100))
	require.NoError(t, err)

	files, err := filepath.Glob(path + ".signed-01*.json")
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.WriteFile(files[0], []byte("{"), 0o600))
	third, err := signer.Open(path)
	require.NoError(t, err)
	_, err = third.Sign(t.Context(), request(1, 7, 100))
	require.ErrorIs(t, err, signer.ErrRecord, "without its record it must not sign")
}

func TestRemote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	listener, err := net.Listen("unix", path) //nolint:noctx // closed below
	require.NoError(t, err)
	key, err := receipt.ParsePrivateKey([]byte("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	asked := make(chan string, 8)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadBytes('\n')
			var r struct {
				DigestHex string `json:"digest_hex"`
				Anchor    struct {
					Nonce string `json:"nonce"`
				} `json:"anchor"`
			}
			if json.Unmarshal(line, &r) != nil {
				return
			}
			asked <- r.Anchor.Nonce
			digest, _ := hex.DecodeString(r.DigestHex)
			signature := receipt.Sign(key, [32]byte(digest))
			answer := map[string]string{"signature_hex": hex.EncodeToString(signature[:])}
			if r.Anchor.Nonce == "6" {
				answer = map[string]string{"error": "not today"}
			}
			_ = json.NewEncoder(conn).Encode(answer)
			_ = conn.Close()
		}
	}()
	remote, err := signer.New("", signer.Settings{RemoteSigner: "unix://" + path})
	require.NoError(t, err)
	one := request(1, 5, 100)
	signature, err := remote.Sign(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, receipt.Sign(key, one.Digest()), signature)
	_, err = remote.Sign(t.Context(), one)
	require.NoError(t, err)
	_, err = remote.Sign(t.Context(), request(1, 6, 100))
	require.ErrorIs(t, err, signer.ErrRemote)
	require.NoError(t, listener.Close())
	_, err = remote.Sign(t.Context(), request(1, 7, 100))
	require.ErrorIs(t, err, signer.ErrRemote)
	require.Equal(t, "5", <-asked)
	require.Equal(t, "6", <-asked, "an answer is not asked for twice")
}

func TestSettings(t *testing.T) {
	none, err := signer.New("", signer.Settings{})
	require.NoError(t, err)
	require.Nil(t, none)
	for _, s := range []signer.Settings{{KeyFile: "a", RemoteSigner: "unix:///b"}, {RemoteSigner: "tcp://1.2.3.4"}, {RemoteSigner: "unix://"}} {
		_, err = signer.New("", s)
		require.ErrorIs(t, err, signer.ErrSettings)
	}
	home := t.TempDir()
	_, err = signer.NewKeyFile(filepath.Join(home, "key"))
	require.NoError(t, err)
	relative, err := signer.New(home, signer.Settings{KeyFile: "key"})
	require.NoError(t, err)
	require.NotNil(t, relative)
}
