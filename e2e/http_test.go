// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gpucoord/gpucoord/domain/receipt"
	"github.com/gpucoord/gpucoord/host/wire"
	"github.com/gpucoord/gpucoord/relayer/demo"
)

const (
	directHost  = 1 // the host of operator-south takes work of the direct customer
	directModel = "borealis-32b"
	slowLimit   = 15 * time.Second
)

// hostJob is one request to the host with everything that may be wrong about it.
type hostJob struct {
	key    *receipt.PrivateKey
	domain receipt.Domain
	auth   receipt.JobAuth
	body   []byte
	salt   [wire.SaltSize]byte
	header string // replaces the authorisation unless empty
}

// goodJob is a request the host serves.
func goodJob(t *testing.T, w *demo.World) *hostJob {
	t.Helper()
	payer, err := w.Key(demo.DirectCustomer)
	if err != nil {
		t.Fatal(err)
	}
	host, err := w.Key("host-south")
	if err != nil {
		t.Fatal(err)
	}
	j := &hostJob{key: payer, domain: w.Domain(), body: []byte(`{"model":"` + directModel + `","max_tokens":8,"messages":[{"role":"user","content":"two words"}]}`)}
	var random [48]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatal(err)
	}
	copy(j.salt[:], random[:32])
	now := uint64(time.Now().Unix())
	j.auth = receipt.JobAuth{
		Payer: receipt.KeyAddress(payer), Operator: receipt.KeyAddress(host), ModelID: demo.AssetID(directModel),
		PaymentRef: receipt.PaymentRef("e2e:" + hex.EncodeToString(random[32:])), MaxAmount: 100_000,
		Nonce: binary.BigEndian.Uint64(random[40:]), IssuedAt: now, ExpiresAt: now + 120,
	}
	return j
}

// send commits to the body, signs and sends.
func (j *hostJob) send(t *testing.T, w *demo.World) *http.Response {
	t.Helper()
	if j.auth.RequestCommit == ([32]byte{}) {
		j.auth.RequestCommit = wire.Commit(j.salt, j.body)
	}
	header := j.header
	if header == "" {
		header = wire.EncodeJobAuth(&j.auth, receipt.Sign(j.key, j.auth.ID(j.domain)))
	}
	return post(t, mustURL(t, w, "host", directHost)+"/v1/chat/completions", j.body, map[string]string{
		wire.HeaderJobAuth: header, wire.HeaderSalt: wire.Encode(j.salt[:]),
	})
}

// Given a host, when requests are wrong in every way, then each is refused by a named error that says what to do, and the host serves on.
func TestBadHTTPInputOfHost(t *testing.T) {
	w := sharedWorld(t)
	now := uint64(time.Now().Unix())
	for name, tc := range map[string]struct {
		spoil  func(*hostJob)
		status int
		code   string
	}{
		"no authorisation": {func(j *hostJob) { j.header = " " }, 401, "JOB_AUTH_MISSING"},
		"truncated":        {func(j *hostJob) { j.header = wire.Encode(make([]byte, 272)) }, 400, "JOB_AUTH_MALFORMED"},
		"wrong signature":  {func(j *hostJob) { j.key = otherKey(t) }, 401, "JOB_AUTH_BAD_SIGNATURE"},
		"wrong chain":      {func(j *hostJob) { j.domain = receipt.NewDomain("another-chain-1", j.domain.ChainID()) }, 401, "JOB_AUTH_BAD_SIGNATURE"},
		"wrong host key":   {func(j *hostJob) { j.auth.Operator[0] ^= 1 }, 400, "WRONG_HOST_KEY"},
		"expired":          {func(j *hostJob) { j.auth.IssuedAt, j.auth.ExpiresAt = now-600, now-300 }, 401, "JOB_AUTH_EXPIRED"},
		"from the future":  {func(j *hostJob) { j.auth.IssuedAt, j.auth.ExpiresAt = now+600, now+900 }, 401, "JOB_AUTH_NOT_YET_VALID"},
		"runs too long":    {func(j *hostJob) { j.auth.ExpiresAt = now + 7200 }, 400, "JOB_TTL_TOO_LONG"},
		"unknown payer":    {func(j *hostJob) { j.key = otherKey(t); j.auth.Payer = receipt.KeyAddress(j.key) }, 403, "PAYER_NOT_ACCEPTED"},
		"unfunded settler": {func(j *hostJob) { j.auth.MaxAmount = 1 << 50 }, 402, "SETTLER_UNFUNDED"},
		"sum overflows":    {func(j *hostJob) { j.auth.MaxAmount = 1<<64 - 1 }, 402, "SETTLER_UNFUNDED"},
		"unknown model":    {func(j *hostJob) { j.body = bytes.Replace(j.body, []byte(directModel), []byte("gpt-0"), 1) }, 404, "UNKNOWN_MODEL"},
		"another model":    {func(j *hostJob) { j.auth.AdapterID = demo.AssetID("borealis-code") }, 400, "MODEL_MISMATCH"},
		"another body":     {func(j *hostJob) { j.auth.RequestCommit = [32]byte{1} }, 400, "REQUEST_COMMIT_MISMATCH"},
		"no JSON":          {func(j *hostJob) { j.body = []byte("model=x") }, 400, "REQUEST_MALFORMED"},
		"10 MB body":       {func(j *hostJob) { j.body = bytes.Repeat([]byte("x"), 10<<20) }, 413, "BODY_TOO_LARGE"},
		"tokens overflow":  {func(j *hostJob) { j.body = bytes.Replace(j.body, []byte(":8,"), []byte(":18446744073709551616,"), 1) }, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := goodJob(t, w)
			tc.spoil(j)
			response := j.send(t, w)
			if tc.status == 0 { // whatever the engine says, nobody panics
				_ = response.Body.Close()
				return
			}
			wantRefusal(t, response, tc.status, tc.code)
		})
	}
	t.Run("reused", func(t *testing.T) { reusedJobAuth(t, w) })
	t.Run("slow body", func(t *testing.T) {
		raw := slowRequest(t, mustURL(t, w, "host", directHost), "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"+
			wire.HeaderJobAuth+": "+goodHeader(t, w)+"\r\n"+wire.HeaderSalt+": "+wire.Encode(make([]byte, 32))+"\r\n\r\n{")
		if !strings.Contains(raw, " 408 ") || !strings.Contains(raw, "BODY_INCOMPLETE") {
			t.Errorf("a slow body is answered with %q", raw)
		}
	})
	t.Run("slow headers", func(t *testing.T) {
		if raw := slowRequest(t, mustURL(t, w, "host", directHost), "POST /v1/chat/completions HTTP/1.1\r\nHost:"); strings.Contains(raw, " 200 ") {
			t.Errorf("half a header is answered with %q", raw)
		}
	})
	t.Run("still serves", func(t *testing.T) { servedReceipt(t, goodJob(t, w).send(t, w)) })
}

// goodHeader is an authorisation whose body has not come yet.
func goodHeader(t *testing.T, w *demo.World) string {
	t.Helper()
	j := goodJob(t, w)
	return wire.EncodeJobAuth(&j.auth, receipt.Sign(j.key, j.auth.ID(j.domain)))
}

// reusedJobAuth sends one authorisation twice, then its nonce for another job.
func reusedJobAuth(t *testing.T, w *demo.World) {
	j := goodJob(t, w)
	first := servedReceipt(t, j.send(t, w))
	again := j.send(t, w)
	defer again.Body.Close()
	if again.StatusCode != http.StatusOK && again.StatusCode != http.StatusConflict {
		t.Errorf("the same authorisation again: status %d", again.StatusCode)
	}
	if text := again.Header.Get(wire.HeaderReceipt); text == "" {
		t.Error("the same authorisation again brings no receipt")
	} else if second, err := wire.DecodeReceipt(text); err != nil || second != first {
		t.Errorf("the same authorisation again brings another receipt: %v", err)
	}
	other := goodJob(t, w)
	other.auth.Nonce = j.auth.Nonce
	wantRefusal(t, other.send(t, w), http.StatusConflict, "NONCE_USED")
}

// servedReceipt returns the receipt of a served job.
func servedReceipt(t *testing.T, response *http.Response) receipt.Record {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", response.StatusCode, err, body)
	}
	record, err := wire.DecodeReceipt(response.Header.Get(wire.HeaderReceipt))
	if err != nil {
		t.Fatalf("receipt: %v", err)
	}
	return record
}

// Given a host, when receipts are countersigned or asked for wrongly, then each request is refused by a named error.
func TestBadHTTPInputOfReceipts(t *testing.T) {
	w := sharedWorld(t)
	base := mustURL(t, w, "host", directHost)
	j := goodJob(t, w)
	record := servedReceipt(t, j.send(t, w))
	id := record.JobID(j.domain)
	path := base + "/v1/receipts/" + hex.EncodeToString(id[:])
	forged := receipt.Sign(otherKey(t), record.Digest(j.domain))
	wantRefusal(t, post(t, path+"/countersign", []byte(`{"signature":"`+wire.Encode(forged[:])+`"}`), nil), 400, "BAD_COUNTERSIGNATURE")
	wantRefusal(t, post(t, path+"/countersign", []byte(`{"signature":"AAAA"}`), nil), 400, "BAD_COUNTERSIGNATURE")
	wantRefusal(t, post(t, base+"/v1/receipts/00/countersign", []byte(`{}`), nil), 404, "RECEIPT_NOT_FOUND")
	wantRefusal(t, get(t, path, nil), 401, "AUTH_MISSING")
	now := uint64(time.Now().Unix())
	wantRefusal(t, get(t, path, map[string]string{wire.HeaderAuth: wire.EncodeAuth(j.key, j.auth.Operator, now-600)}), 401, "AUTH_STALE")
	wantRefusal(t, get(t, path, map[string]string{wire.HeaderAuth: wire.EncodeAuth(j.key, [20]byte{1}, now)}), 401, "AUTH_BAD_SIGNATURE")
	wantRefusal(t, get(t, path, map[string]string{wire.HeaderAuth: wire.EncodeAuth(otherKey(t), j.auth.Operator, now)}), 404, "RECEIPT_NOT_FOUND")
	admin := mustURL(t, w, "host-admin", directHost)
	wantRefusal(t, get(t, admin+"/internal/v1/log?offset=0", nil), 401, "ADMIN_TOKEN")
	wantRefusal(t, get(t, admin+"/metrics", map[string]string{"Authorization": "Bearer guess"}), 401, "ADMIN_TOKEN")
}

// Given a gateway, when requests are wrong, then each is refused by an error in OpenAI's shape with a name.
func TestBadHTTPInputOfGateway(t *testing.T) {
	w := sharedWorld(t)
	key, err := w.APIKey("gateway-main")
	if err != nil {
		t.Fatal(err)
	}
	base := mustURL(t, w, "gateway", 0)
	good := `{"model":"aurora-8b","max_tokens":8,"messages":[{"role":"user","content":"two words"}]}`
	for name, tc := range map[string]struct {
		key, body string
		status    int
	}{
		"no key":          {"", good, 401},
		"unknown key":     {"gck_guess", good, 401},
		"unknown model":   {key, strings.Replace(good, "aurora-8b", "gpt-0", 1), 404},
		"no JSON":         {key, "model=x", 400},
		"10 MB body":      {key, strings.Repeat("x", 10<<20), 413},
		"tokens negative": {key, strings.Replace(good, ":8,", ":-8,", 1), 400},
		"tokens overflow": {key, strings.Replace(good, ":8,", ":18446744073709551616,", 1), 400},
	} {
		t.Run(name, func(t *testing.T) {
			header := map[string]string{}
			if tc.key != "" {
				header["Authorization"] = "Bearer " + tc.key
			}
			wantRefusal(t, post(t, base+"/v1/chat/completions", []byte(tc.body), header), tc.status, "")
		})
	}
	t.Run("slow body", func(t *testing.T) {
		raw := slowRequest(t, base, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: Bearer "+key+"\r\n\r\n{")
		if !strings.Contains(raw, " 408 ") {
			t.Errorf("a slow body is answered with %q", raw)
		}
	})
	t.Run("admin without token", func(t *testing.T) {
		wantRefusal(t, post(t, mustURL(t, w, "gateway-admin", 0)+"/admin/v1/keys", nil, nil), 401, "")
	})
	t.Run("still serves", func(t *testing.T) {
		response := post(t, base+"/v1/chat/completions", []byte(good), map[string]string{"Authorization": "Bearer " + key})
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}

// wantRefusal checks the status and the named error of an answer; an empty code stands for any name.
func wantRefusal(t *testing.T, response *http.Response, status int, code string) {
	t.Helper()
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", response.StatusCode, status, raw)
	}
	if status == http.StatusOK {
		return
	}
	var body struct {
		Error struct{ Type, Code, Message string }
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if e := body.Error; code != "" && e.Code != code || e.Code == "" || e.Type == "" || len(e.Message) < 10 {
		t.Errorf("error %+v, want code %q with a message", e, code)
	}
}

// slowRequest sends the beginning of a request and waits for what the server does about it.
func slowRequest(t *testing.T, base, begin string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(slowLimit)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, begin); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("the server holds a slow client's connection: %v", err)
	}
	return string(raw)
}

func post(t *testing.T, address string, body []byte, header map[string]string) *http.Response {
	t.Helper()
	return do(t, http.MethodPost, address, bytes.NewReader(body), header)
}

func get(t *testing.T, address string, header map[string]string) *http.Response {
	t.Helper()
	return do(t, http.MethodGet, address, http.NoBody, header)
}

func do(t *testing.T, method, address string, body io.Reader, header map[string]string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func mustURL(t *testing.T, w *demo.World, kind string, i int) string {
	t.Helper()
	address, err := w.URL(kind, i)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func otherKey(t *testing.T) *receipt.PrivateKey {
	t.Helper()
	key, err := receipt.ParsePrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
