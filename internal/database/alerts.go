package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Stored is what became of an alert at the door.
type Stored struct {
	AlertID     string
	IncidentID  string
	Duplicate   bool
	NewIncident bool
}

// StoreAlert keeps a finding and its alert and claims the incident, in one transaction. The second alert of a source with one
// fingerprint is a duplicate of the first; an alert without a fingerprint is never a duplicate. Hints are not aliases: what
// is passed here merges alerts. An empty a.ID gets a fresh one.
func (d *DB) StoreAlert(ctx context.Context, f incident.Finding, a incident.Alert, aliases []Alias) (Stored, error) {
	var out Stored
	err := d.write(ctx, fmt.Sprintf("storing an alert of source %q", a.Source), func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id, incident FROM alerts WHERE source = ? AND fingerprint = ?`,
			a.Source, a.Fingerprint).Scan(&out.AlertID, &out.IncidentID)
		if err == nil {
			out.Duplicate = true
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if a.ID == "" {
			a.ID = d.newID("al-")
		}
		out.AlertID = a.ID
		if out.IncidentID, out.NewIncident, err = d.claim(ctx, tx, aliases); err != nil {
			return err
		}
		return d.insertAlert(ctx, tx, f, a, out)
	})
	if err != nil {
		return Stored{}, err
	}
	return out, nil
}

func (d *DB) insertAlert(ctx context.Context, tx *sql.Tx, f incident.Finding, a incident.Alert, s Stored) error {
	if a.ReceivedAt.IsZero() {
		a.ReceivedAt = d.now().UTC()
	}
	alert, err := text(a)
	if err != nil {
		return err
	}
	finding, err := text(f)
	if err != nil {
		return err
	}
	fingerprint := sql.NullString{String: a.Fingerprint, Valid: a.Fingerprint != ""}
	_, err = tx.ExecContext(ctx, `INSERT INTO alerts (id, source, fingerprint, incident, opened, alert, finding, received_at, fate)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, a.ID, a.Source, fingerprint, s.IncidentID, s.NewIncident, alert, finding,
		micros(a.ReceivedAt), incident.FateStored)
	return err
}

// Pending is an alert that nobody has dispatched yet.
type Pending struct {
	Alert       incident.Alert
	Incident    string
	NewIncident bool // it opened the incident
}

// Undispatched lists alerts without a fate, oldest first.
func (d *DB) Undispatched(ctx context.Context, limit int) ([]Pending, error) {
	out, err := list(ctx, d.reader, func(s scanner) (Pending, error) {
		var p Pending
		var raw []byte
		if err := s.Scan(&raw, &p.Incident, &p.NewIncident); err != nil {
			return p, err
		}
		return p, json.Unmarshal(raw, &p.Alert)
	}, `SELECT alert, incident, opened FROM alerts WHERE dispatched = 0 ORDER BY n LIMIT ?`, atMost(limit))
	if err != nil {
		return nil, fmt.Errorf("alerts to dispatch: %w", err)
	}
	return out, nil
}

// Fate is what became of an alert and why.
type Fate struct {
	Fate     string `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Incident string `json:"incident_id,omitempty"`
	Run      string `json:"run_id,omitempty"`
}

// SetFate records what became of an alert and takes it from the list of those to dispatch.
func (d *DB) SetFate(ctx context.Context, alertID, fate, reason, runID string) error {
	return d.write(ctx, fmt.Sprintf("fate of alert %q", alertID), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE alerts SET fate = ?, reason = ?, run = ?, dispatched = 1 WHERE id = ?`,
			fate, reason, runID, alertID)
		return changed(res, err, "alert", alertID)
	})
}

// AlertFate reads what became of an alert.
func (d *DB) AlertFate(ctx context.Context, id string) (Fate, error) {
	var f Fate
	err := d.reader.QueryRowContext(ctx, `SELECT fate, reason, incident, run FROM alerts WHERE id = ?`, id).
		Scan(&f.Fate, &f.Reason, &f.Incident, &f.Run)
	if err != nil {
		return Fate{}, fmt.Errorf("fate of alert: %w", missing(err, "alert", id))
	}
	return f, nil
}

// Received is an alert with its fate.
type Received struct {
	Alert incident.Alert
	Fate  Fate
}

// Alerts lists alerts, newest first; before is the id of the last alert of the page before, or empty.
func (d *DB) Alerts(ctx context.Context, limit int, before string) ([]Received, error) {
	out, err := list(ctx, d.reader, scanReceived, `SELECT alert, fate, reason, incident, run FROM alerts
		WHERE ?1 = '' OR n < (SELECT n FROM alerts WHERE id = ?1) ORDER BY n DESC LIMIT ?2`, before, atMost(limit))
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	return out, nil
}

// AlertsOf lists the alerts of one incident, oldest first.
func (d *DB) AlertsOf(ctx context.Context, incidentID string) ([]Received, error) {
	out, err := list(ctx, d.reader, scanReceived, `SELECT alert, fate, reason, incident, run FROM alerts
		WHERE incident = ? ORDER BY n`, incidentID)
	if err != nil {
		return nil, fmt.Errorf("alerts of incident %q: %w", incidentID, err)
	}
	return out, nil
}

func scanReceived(s scanner) (Received, error) {
	var r Received
	var raw []byte
	if err := s.Scan(&raw, &r.Fate.Fate, &r.Fate.Reason, &r.Fate.Incident, &r.Fate.Run); err != nil {
		return r, err
	}
	return r, json.Unmarshal(raw, &r.Alert)
}

// Finding reads the source's own record of an alert, as redacted at the door.
func (d *DB) Finding(ctx context.Context, alertID string) (incident.Finding, error) {
	f, err := doc[incident.Finding](d.reader.QueryRowContext(ctx, `SELECT finding FROM alerts WHERE id = ?`, alertID))
	if err != nil {
		return f, fmt.Errorf("finding: %w", missing(err, "alert", alertID))
	}
	return f, nil
}

// UnreadAlerts counts the alerts of an incident that no run has read.
func (d *DB) UnreadAlerts(ctx context.Context, incidentID string) (int, error) {
	var n int
	err := d.reader.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE incident = ? AND is_read = 0`, incidentID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("unread alerts of incident %q: %w", incidentID, err)
	}
	return n, nil
}

// MarkAlertsRead marks the unread alerts of an incident and returns exactly those, oldest first, so that an alert that
// arrives meanwhile stays unread.
func (d *DB) MarkAlertsRead(ctx context.Context, incidentID string) ([]incident.Alert, error) {
	var out []incident.Alert
	err := d.write(ctx, fmt.Sprintf("reading the alerts of incident %q", incidentID), func(tx *sql.Tx) error {
		var err error
		out, err = list(ctx, tx, doc[incident.Alert], `SELECT alert FROM alerts WHERE incident = ? AND is_read = 0 ORDER BY n`, incidentID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE alerts SET is_read = 1 WHERE incident = ?`, incidentID)
		return err
	})
	return out, err
}

// changed turns an update that met no row into a sentence.
func changed(res sql.Result, err error, kind, id string) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return &NotFoundError{Kind: kind, ID: id}
	}
	return err
}
