// Package signals is what operators hear of a running house besides its metrics page: traces from the alert to the last
// request at a provider, and the measuring of these requests. It knows OpenTelemetry and Temporal's interceptors, and nothing
// of the house: what is measured and which spans there are is said by its callers.
//
// Attributes name things that we chose (source, action, run, step, provider, account) and what HTTP says without address: a method, a
// host and a status. Never a path, a query, a body or a header: any of them may hold a key.
//
// To add a span, call Tracing.Start with a name and attributes; to measure another service, give its client a Transport.
package signals
