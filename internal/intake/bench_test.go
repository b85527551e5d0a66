package intake_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkDoor is the whole way from request to stored alert, over a hundred keys. Its profile is quoted in docs/speed.md.
func BenchmarkDoor(b *testing.B) {
	r := open(b, nil)
	var n atomic.Int64
	b.SetParallelism(25)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			body := fmt.Sprintf(`{"id":"storm-%d","kind":"key.leaked","title":"A key in a public notebook","key":{"provider":"gemini","account":"storm","id":"k%d"}}`, i, i%100)
			req := httptest.NewRequest(http.MethodPost, "/v1/alerts/generic", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+r.token)
			res := httptest.NewRecorder()
			if r.handler.ServeHTTP(res, req); res.Code != http.StatusAccepted {
				b.Fatalf("%d %s", res.Code, res.Body)
			}
		}
	})
}
