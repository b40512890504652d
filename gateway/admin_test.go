// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAdminNeedsItsToken(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(10)
	for _, token := range []string{"", "x", adminToken[1:], k.Key} {
		for _, path := range []string{"/metrics", "/admin/v1/keys", "/admin/v1/keys/" + k.ID} {
			if a := f.do(t.Context(), http.MethodGet, f.admin.URL+path, token, ""); a.status != 401 || a.code() != "ADMIN_TOKEN" {
				t.Errorf("%s with %q: got %d %s", path, token, a.status, a.body)
			}
		}
	}
	if a := f.do(t.Context(), http.MethodGet, f.server.URL+"/admin/v1/keys", adminToken, ""); a.status != 404 {
		t.Errorf("customers reach the admin interface: %d", a.status)
	}
}

func TestCreditIsGrantedOncePerReference(t *testing.T) {
	f := newFixture(t, 1, nil)
	k := f.newKey(10)
	grant := func(body string) *answer {
		return f.adminDo(http.MethodPost, "/admin/v1/keys/"+k.ID+"/credits", body, nil)
	}
	for range 2 {
		if a := grant(`{"amount_uusdc":5,"reference":"invoice 1"}`); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		f.wantCredit(k, 15, 0, 0)
	}
	for range 2 {
		grant(`{"amount_uusdc":1}`)
	}
	f.wantCredit(k, 17, 0, 0)
	for body, want := range map[string]string{
		`{"amount_uusdc":6,"reference":"invoice 1"}`: "REFERENCE_USED",
		`{"amount_uusdc":0}`:                         "ADMIN_MALFORMED",
		`{"amount_uusdc":-1}`:                        "ADMIN_MALFORMED",
		`{"amount_uusdc":1,"who":"alice"}`:           "ADMIN_MALFORMED",
		``:                                           "ADMIN_MALFORMED",
		`{"amount_uusdc":9223372036854775807}`:       "AMOUNT_TOO_LARGE",
		`{"amount_uusdc":1,"reference":"` + strings.Repeat("x", 129) + `"}`:     "ADMIN_MALFORMED",
		`{"amount_uusdc":1,"reference":"` + strings.Repeat("x", 5000) + `"}`:    "ADMIN_MALFORMED",
		`{"amount_uusdc":18446744073709551615,"reference":"more than 64 bits"}`: "AMOUNT_TOO_LARGE",
	} {
		if a := grant(body); a.code() != want {
			t.Errorf("%.60s: got %d %s", body, a.status, a.body)
		}
	}
	f.wantCredit(k, 17, 0, 0)
	for _, path := range []string{"", "/usage"} {
		if a := f.adminDo(http.MethodGet, "/admin/v1/keys/0000000000000000"+path, "", nil); a.status != 404 || a.code() != "KEY_UNKNOWN" {
			t.Errorf("got %d %s", a.status, a.body)
		}
	}
}

func TestKeysAreListedWithoutTheKey(t *testing.T) {
	f := newFixture(t, 1, nil)
	first, second := f.newKey(10), f.newKey(20)
	if !strings.HasPrefix(first.Key, "gck_") || len(first.Key) < 50 || first.Key == second.Key || strings.Contains(first.Key, first.ID) {
		t.Fatalf("got %+v and %+v", first, second)
	}
	a := f.adminDo(http.MethodGet, "/admin/v1/keys", "", nil)
	for _, k := range []account{first, second} {
		if strings.Contains(string(a.body), k.Key) || !strings.Contains(string(a.body), k.ID) {
			t.Errorf("got %s", a.body)
		}
	}
	var rest struct{ Keys []account }
	f.adminDo(http.MethodGet, "/admin/v1/keys?after="+min(first.ID, second.ID), "", &rest)
	if len(rest.Keys) != 1 || rest.Keys[0].ID != max(first.ID, second.ID) {
		t.Errorf("got %+v", rest)
	}
	f.adminDo(http.MethodPost, "/admin/v1/keys/"+first.ID+"/credits", `{"amount_uusdc":1000}`, nil)
	f.complete(first.Key, chat(5))
	if used := f.usage(first); len(used) != 1 || used[0].Amount != 20 {
		t.Errorf("got %+v", used)
	}
	if used := f.usage(second); len(used) != 0 {
		t.Errorf("another key's usage: %+v", used)
	}
	var later struct{ Jobs []usedJob }
	f.adminDo(http.MethodGet, "/admin/v1/keys/"+first.ID+"/usage?since=99999999999", "", &later)
	if len(later.Jobs) != 0 {
		t.Errorf("got %+v", later)
	}
}
