package incident

import "time"

// Kinds of alert.
const (
	KindKeyLeaked    = "key.leaked"
	KindUsageAnomaly = "usage.anomaly"
	KindWatchBlind   = "watch.blind" // the use of a key cannot be seen
	KindSpend        = "spend.threshold"
	KindResolved     = "alert.resolved"
	KindUnread       = "alert.unread" // a finding that could not be read; it is kept as it came
)

// Trust is what the configuration lets a source do: Act may open automatic containment, Tell may not.
const (
	TrustAct  = "act"
	TrustTell = "tell"
)

// Alert is a finding in our words. All its text comes from outside and is hostile.
type Alert struct {
	ID            string    `json:"id"`
	Source        string    `json:"source"`
	Trust         string    `json:"trust"` // from the configuration of the source, never from the finding
	Kind          string    `json:"kind"`
	Severity      string    `json:"severity"` // low, medium, high, critical
	Title         string    `json:"title"`
	Fingerprint   string    `json:"fingerprint"` // two alerts with one fingerprint are one alert
	ObservedAt    time.Time `json:"observed_at"`
	ReceivedAt    time.Time `json:"received_at"`
	Key           Clue      `json:"key"`
	FindingDigest string    `json:"finding_digest"` // sha256:<hex> of the stored (redacted) finding
	Links         []string  `json:"links,omitempty"`
}

// NamesKey reports whether an alert can lead to a key: by what it says of it, or by where its value can be read.
func (a Alert) NamesKey() bool { return !a.Key.Empty() }

// Env is what the condition of a trigger sees.
func (a Alert) Env() map[string]any { return map[string]any{"alert": a.Fields()} }

// Fields are the alert as expressions see it. Every field is there, be it empty, so that none reads as nothing.
func (a Alert) Fields() map[string]any {
	links := make([]any, 0, len(a.Links))
	for _, l := range a.Links {
		links = append(links, l)
	}
	return map[string]any{
		"id": a.ID, "source": a.Source, "trust": a.Trust, "kind": a.Kind, "severity": a.Severity, "title": a.Title, "fingerprint": a.Fingerprint,
		"observed_at": a.ObservedAt, "received_at": a.ReceivedAt, "finding_digest": a.FindingDigest, "links": links,
		"key": map[string]any{"provider": a.Key.Provider, "account": a.Key.Account, "id": a.Key.ID, "hint": a.Key.Hint, "secret_hash": a.Key.SecretHash, "where": a.Key.Where},
	}
}

// Finding is the source's own record with any secret redacted.
type Finding struct {
	Body           []byte            `json:"body"`
	Headers        map[string]string `json:"headers"` // never credentials
	DigestReceived string            `json:"digest_received"`
	DigestStored   string            `json:"digest_stored"`
}

// Fates of an alert.
const (
	FateStored     = "stored"
	FateStarted    = "started"
	FateJoined     = "joined"
	FateRecorded   = "recorded"
	FateSuppressed = "suppressed"
	FateSetAside   = "set_aside"
)

// Evidence is one artefact kept outside the workflow: the blob lies in the evidence store under its digest.
type Evidence struct {
	ID     string    `json:"id"`
	Run    string    `json:"run"`
	Step   string    `json:"step"`
	Name   string    `json:"name"`
	Source string    `json:"source"` // the system it came from
	Digest string    `json:"digest"` // sha256:<hex> of the bytes
	Size   int64     `json:"size"`
	At     time.Time `json:"at"`
}
