package signals

import (
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Meter counts one request; status is 0 where nobody answered.
type Meter interface {
	ProviderCall(provider, account string, status int, took time.Duration)
}

// Transport measures requests to one account of a provider, and makes each a span.
type Transport struct {
	Provider, Account string
	Meter             Meter
	Tracing           *Tracing
	Next              http.RoundTripper // nil: the default
}

// RoundTrip sends as Next does. The request goes out as it came: a trace is ours, and no provider is told of it.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.Next
	if next == nil {
		next = http.DefaultTransport
	}
	ctx, span := t.Tracing.start(r.Context(), "provider request", trace.SpanKindClient,
		attribute.String("tourniquet.provider", t.Provider), attribute.String("tourniquet.account", t.Account),
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname()))
	defer span.End()
	began := time.Now()
	res, err := next.RoundTrip(r.WithContext(ctx))
	status := 0
	if err == nil {
		status = res.StatusCode
		span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if err != nil || status >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "") // words of errors may hold addresses
	}
	t.Meter.ProviderCall(t.Provider, t.Account, status, time.Since(began))
	return res, err
}
