package sources_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

// Decoding is a small part of what an alert costs: docs/speed.md compares it with storing.
func BenchmarkDecode(b *testing.B) {
	for _, s := range every() {
		c := s.Describe()
		r := sources.Request{Headers: http.Header{"X-Github-Event": {"secret_scanning_alert"}, "Content-Type": {c.Media[0]}}, Body: c.Example, At: arrival}
		b.Run(s.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Decode(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
