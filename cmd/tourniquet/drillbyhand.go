package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// makeKeys has somebody make the keys that programs cannot make, on the pretended provider's own pages, and put them into the
// sealed form: over HTTP, with a personal token, as anybody would.
func (d *rehearsal) makeKeys(ctx context.Context) {
	tick := time.NewTicker(drillLook)
	defer tick.Stop()
	for {
		if q, waits := d.keyWaits(ctx); waits {
			d.makeKeyOnce(ctx, q)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// makeKeyOnce has the first of the makers who is let make the key.
func (d *rehearsal) makeKeyOnce(ctx context.Context, q database.Question) {
	makers := d.makers
	if makers == nil {
		makers = []string{"ana"}
	}
	for _, who := range makers {
		err := d.makeKey(ctx, q, who)
		if err == nil {
			return
		}
		d.say("        %s did not seal a key: %s", who, err)
	}
}

// keyWaits is the oldest open question for a key.
func (d *rehearsal) keyWaits(ctx context.Context) (database.Question, bool) {
	if d.run_.ID == "" {
		return database.Question{}, false
	}
	open, err := d.db.Questions(ctx, d.run_.ID, true)
	if err != nil {
		return database.Question{}, false
	}
	for _, q := range open {
		if q.Kind == database.QuestionKey {
			return q, true
		}
	}
	return database.Question{}, false
}

func (d *rehearsal) makeKey(ctx context.Context, q database.Question, who string) error {
	if d.scenario.Issuer.ByHand == nil {
		return fmt.Errorf("the sandbox's %s has no page on which a key could be made", d.scenario.Issuer.Provider)
	}
	token := newToken()
	if err := d.db.PutToken(ctx, who, tokenHash(token), "the drill of "+who); err != nil {
		return err
	}
	key := d.scenario.Issuer.ByHand(d.stage.World, who)
	body, err := json.Marshal(map[string]string{"value": key.Secret()})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/questions/"+q.ID+"/key", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, maxProblem)) // the status says enough
		return fmt.Errorf("the console answered %d: %s", res.StatusCode, said)
	}
	d.say("%6s  %s made a key by hand and sealed it", d.clock(), who)
	return nil
}
