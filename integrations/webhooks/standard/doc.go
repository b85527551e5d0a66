// Package standard sends webhooks as Standard Webhooks describe them: webhook-id, webhook-timestamp and webhook-signature with
// HMAC-SHA256 over "id.timestamp.body". Receivers are those of the configuration, and internal/outbound guards where they
// lead. It may import the webhooks and keys ports and internal/outbound.
package standard
