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
		if len(list) > maxPayloads || err != nil && list != nil {
			t.Errorf("%d payloads, %v", len(list), err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "The body is not a list") && !strings.HasPrefix(err.Error(), "There are more than 1000 payloads") {
			t.Errorf("a fault that may repeat what was sent: %v", err)
		}
	})
}
