package signals

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	temporalotel "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// Options say where traces go.
type Options struct {
	Endpoint string            // an OTLP receiver over gRPC, as https://collector.example:4317; http for one on this machine. Empty: no traces
	Headers  map[string]string // for instance a receiver's token
	Sample   float64           // how many of the traces are kept, from 0 to 1
	Version  string            // of this program
	World    string            // production or drill
}

// Tracing makes spans. A nil *Tracing makes none.
type Tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Open connects to the receiver; that one is not there yet costs spans and nothing else. Without an endpoint it is nil.
func Open(ctx context.Context, o Options) (*Tracing, error) {
	if o.Endpoint == "" {
		return nil, nil //nolint:nilnil // no traces are wanted: nil makes none
	}
	at, err := url.Parse(o.Endpoint)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, errors.New("tracing.endpoint is an address like https://collector.example:4317")
	}
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(o.Endpoint), otlptracegrpc.WithHeaders(o.Headers), otlptracegrpc.WithTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("tracing.endpoint: %w", err)
	}
	about := resource.NewSchemaless(attribute.String("service.name", "tourniquet"), attribute.String("service.version", o.Version), attribute.String("tourniquet.world", o.World))
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(time.Second)), sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Sample))))
	return &Tracing{provider: p, tracer: p.Tracer("tourniquet")}, nil
}

// Close sends what is left.
func (t *Tracing) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Interceptor makes spans of workflows and activities, and carries the trace from one to the other; nil where nothing is traced.
func (t *Tracing) Interceptor() (interceptor.Interceptor, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // as above
	}
	return temporalotel.NewTracingInterceptor(temporalotel.TracerOptions{Tracer: t.tracer, TextMapPropagator: propagation.TraceContext{}, DisableBaggage: true, DisableQueryTracing: true})
}

// Start begins a span below the one in ctx; end ends it. Attributes are pairs of a name and a value, without the prefix.
func (t *Tracing) Start(ctx context.Context, name string, pairs ...string) (_ context.Context, end func()) {
	ctx, span := t.start(ctx, name, trace.SpanKindInternal, attributes(pairs)...)
	return ctx, func() { span.End() }
}

// Begin begins the trace of an alert at the time when it came. Whoever begins it again goes on in the same trace: its id is made of
// the alert's.
func (t *Tracing) Begin(ctx context.Context, alert string, at time.Time, pairs ...string) (_ context.Context, end func()) {
	if t == nil {
		return ctx, func() {}
	}
	ctx = context.WithValue(ctx, seedKey{}, alert)
	ctx, span := t.tracer.Start(ctx, "alert", trace.WithNewRoot(), trace.WithTimestamp(at), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(append(attributes(pairs), attribute.String("tourniquet.alert", alert))...))
	return ctx, func() { span.End() }
}

func attributes(pairs []string) (out []attribute.KeyValue) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, attribute.String("tourniquet."+pairs[i], pairs[i+1]))
		}
	}
	return out
}

func (t *Tracing) start(ctx context.Context, name string, kind trace.SpanKind, about ...attribute.KeyValue) (context.Context, trace.Span) {
	if t == nil {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(about...))
}

type seedKey struct{}

// ids gives the trace of an alert an id that is made of the alert's; all else is random.
type ids struct{}

func (ids) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	_, _ = rand.Read(id[:]) // never returns an error since Go 1.24
	if seed, ok := ctx.Value(seedKey{}).(string); ok {
		sum := sha256.Sum256([]byte("tourniquet/trace/v1\x00" + seed))
		copy(id[:], sum[:])
	}
	return id, ids{}.NewSpanID(ctx, id)
}

func (ids) NewSpanID(context.Context, trace.TraceID) (span trace.SpanID) {
	_, _ = rand.Read(span[:]) // as above
	return span
}
