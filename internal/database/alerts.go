package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Stored is what became of an alert at the door.
type Stored struct {
	AlertID     string
	IncidentID  string
	Duplicate   bool
	NewIncident bool
}

// Incoming is one alert of a delivery, with the exact names of its key.
type Incoming struct {
	Alert   incident.Alert // an empty ID gets a fresh one
	Aliases []Alias
}

// StoreAlert keeps a finding that holds one alert.
func (d *DB) StoreAlert(ctx context.Context, f incident.Finding, a incident.Alert, aliases []Alias) (Stored, error) {
	out, err := d.StoreAlerts(ctx, f, []Incoming{{a, aliases}})
	if err != nil {
		return Stored{}, err
	}
	return out[0], nil
}

// StoreAlerts keeps a finding, each of its alerts, and claims their incidents, in one transaction: all of a delivery or nothing.
// The second alert of a source with one fingerprint is a duplicate of the first; an alert without a fingerprint is never a
// duplicate. Hints are not aliases: what is passed here merges alerts.
func (d *DB) StoreAlerts(ctx context.Context, f incident.Finding, list []Incoming) ([]Stored, error) {
	finding, err := text(f)
	if err != nil || len(list) == 0 {
		return nil, errors.Join(err, errIf(len(list) == 0, "a finding without alerts is not kept"))
	}
	var out []Stored
	err = d.write(ctx, fmt.Sprintf("storing a finding of source %q", list[0].Alert.Source), lockCases, func(ctx context.Context, tx *txn) (err error) {
		out, err = d.storeFinding(ctx, tx, finding, list)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// storeFinding keeps one finding with its alerts inside a transaction.
func (d *DB) storeFinding(ctx context.Context, tx *txn, finding string, list []Incoming) ([]Stored, error) {
	out := make([]Stored, 0, len(list))
	kept := finding
	for _, in := range list {
		one, err := d.storeOne(ctx, tx, kept, in)
		if err != nil {
			return nil, err
		}
		if out = append(out, one); !one.Duplicate && kept == finding {
			kept = sameAs + one.AlertID // the bytes are kept once
		}
	}
	return out, nil
}

// sameAs stands before the id of the alert that keeps the finding, where a delivery held several.
const sameAs = "same as "

func errIf(bad bool, why string) error {
	if bad {
		return errors.New(why)
	}
	return nil
}

func (d *DB) storeOne(ctx context.Context, tx *txn, finding string, in Incoming) (Stored, error) {
	a, out := in.Alert, Stored{}
	err := tx.QueryRowContext(ctx, `SELECT id, incident FROM alerts WHERE source = ? AND fingerprint = ?`,
		a.Source, short(a.Fingerprint)).Scan(&out.AlertID, &out.IncidentID)
	if err == nil {
		out.Duplicate = true
		return out, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return out, err
	}
	if a.ID == "" {
		a.ID = d.newID("al-")
	}
	out.AlertID = a.ID
	if out.IncidentID, out.NewIncident, err = d.claim(ctx, tx, in.Aliases); err != nil {
		return out, err
	}
	return out, d.insertAlert(ctx, tx, finding, a, out)
}

func (d *DB) insertAlert(ctx context.Context, tx *txn, finding string, a incident.Alert, s Stored) error {
	if a.ReceivedAt.IsZero() {
		a.ReceivedAt = d.now().UTC()
	}
	alert, err := text(a)
	if err != nil {
		return err
	}
	fingerprint := sql.NullString{String: short(a.Fingerprint), Valid: a.Fingerprint != ""}
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

// Undispatched lists alerts without a fate, oldest first: at most limit of each source, so that none can hide behind another, and
// of each those that opened an incident before those that came to one.
func (d *DB) Undispatched(ctx context.Context, limit int) ([]Pending, error) {
	most := limit
	if most <= 0 {
		most = atMost(0)
	}
	out, err := list(ctx, d.reader, func(s scanner) (Pending, error) {
		var p Pending
		var raw []byte
		if err := s.Scan(&raw, &p.Incident, &p.NewIncident); err != nil {
			return p, err
		}
		return p, json.Unmarshal(raw, &p.Alert)
	}, `SELECT alert, incident, opened FROM alerts JOIN
		(SELECT n AS waiting, row_number() OVER (PARTITION BY source ORDER BY opened DESC, n) AS place FROM alerts WHERE dispatched = 0) AS each
		ON n = waiting WHERE place <= ? ORDER BY n`, most)
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
	return d.write(ctx, fmt.Sprintf("fate of alert %q", alertID), lockCases, func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `UPDATE alerts SET fate = ?, reason = ?, run = ?, dispatched = 1 WHERE id = ?`, fate, reason, runID, alertID)
		return changed(res, err, "alert", alertID)
	})
}

// SettleAlerts records the same fate for alerts that were handed over, all or none. One that moved to another incident meanwhile
// (its run found who answers for the key, before we came here) stays to be dispatched: it has to be told there.
func (d *DB) SettleAlerts(ctx context.Context, list []Pending, fate, reason, runID string) error {
	return d.write(ctx, fmt.Sprintf("fate of %d alerts", len(list)), lockCases, func(ctx context.Context, tx *txn) error {
		for len(list) > 0 {
			args := []any{fate, reason, runID, list[0].Incident}
			n := 0
			for n < len(list) && list[n].Incident == list[0].Incident && n < 500 {
				args = append(args, list[n].Alert.ID)
				n++
			}
			_, err := tx.ExecContext(ctx, `UPDATE alerts SET fate = ?, reason = ?, run = ?, dispatched = 1 WHERE incident = ? AND id IN (?`+strings.Repeat(", ?", n-1)+`)`, args...)
			if err != nil {
				return err
			}
			list = list[n:]
		}
		return nil
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
	return d.AlertsOfFate(ctx, "", limit, before)
}

// AlertsOfFate is Alerts of one fate; an empty one means all.
func (d *DB) AlertsOfFate(ctx context.Context, fate string, limit int, before string) ([]Received, error) {
	query, args := alertsQuery(fate, limit, before)
	out, err := list(ctx, d.reader, scanReceived, query, args...)
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	return out, nil
}

func alertsQuery(fate string, limit int, before string) (string, []any) {
	var w where
	w.add(fate != "", "fate = ?", fate)
	w.add(before != "", "n < (SELECT n FROM alerts WHERE id = ?)", before)
	return `SELECT alert, fate, reason, incident, run FROM alerts` + w.text() + ` ORDER BY n DESC LIMIT ?`, append(w.args, atMost(limit))
}

// Alert reads one alert with its fate.
func (d *DB) Alert(ctx context.Context, id string) (Received, error) {
	r, err := scanReceived(d.reader.QueryRowContext(ctx, `SELECT alert, fate, reason, incident, run FROM alerts WHERE id = ?`, id))
	if err != nil {
		return r, fmt.Errorf("alert: %w", missing(err, "alert", id))
	}
	return r, nil
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
	var f incident.Finding
	id := alertID
	for range 2 {
		var raw string
		if err := d.reader.QueryRowContext(ctx, `SELECT finding FROM alerts WHERE id = ?`, id).Scan(&raw); err != nil {
			return f, fmt.Errorf("finding: %w", missing(err, "alert", alertID))
		}
		if other, same := strings.CutPrefix(raw, sameAs); same {
			id = other
			continue
		}
		return f, json.Unmarshal([]byte(raw), &f)
	}
	return f, fmt.Errorf("finding of alert %q: it is kept nowhere", alertID)
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
	err := d.write(ctx, fmt.Sprintf("reading the alerts of incident %q", incidentID), lockCases, func(ctx context.Context, tx *txn) error {
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
