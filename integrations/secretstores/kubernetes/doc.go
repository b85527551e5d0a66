// Package kubernetes keeps a dependent's key in a Kubernetes Secret and restarts what uses it. The API server keeps no
// versions, so the value before is handed to the caller, who seals it. Writes are merge patches of one field that the server
// refuses when the Secret is another than people saw. A restart is kubectl's own: an annotation of the pod template. It may
// import the secretstores and keys ports, package incident, internal/outbound and client-go.
package kubernetes
