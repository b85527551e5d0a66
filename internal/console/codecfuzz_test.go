package console

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func FuzzPayloadsOfStrangers(f *testing.F) {
	f.Add(`{"payloads":[{"metadata":{"encoding":"YmluYXJ5L3RvdXJuaXF1ZXQtYWVzZ2Nt"},"data":"AAAA"}]}`)
	f.Add(`{"payloads":null}`)
	f.Add(`{"payloads":[{"externalPayloads":[{"sizeBytes":"1"}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", CodecPath+"/decode", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		list, err := payloads(r)
		if len(list) > maxPayloads || err != nil && (list != nil || len(err.Error()) > 200 || len(body) > 8 && strings.Contains(err.Error(), body)) {
			t.Errorf("%d payloads, %v", len(list), err)
		}
	})
}
