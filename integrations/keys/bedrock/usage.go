package bedrock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Usage reads what the key did from CloudTrail, all Regions at once, and puts a price on it. Requests are model calls;
// tokens are not recorded there.
func (p *Provider) Usage(ctx context.Context, key incident.Key, since, until time.Time) (keys.Usage, error) {
	if _, _, err := owner(key); err != nil {
		return keys.Usage{}, err
	}
	recording, recorder := tape.Record(ctx)
	all, incomplete, err := p.everywhere(recording, ofKey(key.UID, key.ID, since, until))
	if err != nil {
		return keys.Usage{}, err
	}
	if kindOf(key.ID) == kindAPIKey {
		all = slices.DeleteFunc(all, func(e event) bool { return !e.AdditionalEventData.CallWithBearerToken })
	}
	u := keys.Usage{Rows: p.rows(all), Incomplete: incomplete, Raw: recorder.Evidence("cloudtrail-events"), NoTokens: true}
	u.FirstAbuse, u.NewAddresses = begin(all, keys.FirstAbuse(u.Rows, since))
	for _, r := range u.Rows {
		if slices.Contains(spends, r.Method) {
			u.Requests += r.Requests
		}
		u.MicroUSD += r.MicroUSD
	}
	return p.price(ctx, u, since, until)
}

// everywhere asks every Region at once; each has its own pace.
func (p *Provider) everywhere(ctx context.Context, q lookup) ([]event, string, error) {
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		all   []event
		notes []string
		fault error
	)
	for _, region := range p.cfg.Regions {
		wg.Go(func() {
			got, note, err := p.events(ctx, region, q)
			mu.Lock()
			defer mu.Unlock()
			all, fault = append(all, got...), errors.Join(fault, err)
			if note != "" {
				notes = append(notes, note)
			}
		})
	}
	wg.Wait()
	slices.Sort(notes)
	slices.SortStableFunc(all, func(a, b event) int {
		return cmp.Or(a.EventTime.Compare(b.EventTime), cmp.Compare(a.EventID, b.EventID))
	})
	return all, strings.Join(notes, "; "), fault
}

// rows counts events that are alike within a minute.
func (p *Provider) rows(all []event) []keys.UsageRow {
	counts := map[keys.UsageRow]int64{}
	for _, e := range all {
		row := keys.UsageRow{
			At: e.EventTime.Truncate(time.Minute), Seconds: 60, Model: e.RequestParameters.ModelID, Method: e.EventName, Code: e.ErrorCode,
			Address: e.SourceIPAddress, Region: e.AWSRegion, Agent: cut(e.UserAgent), Probing: e.probing(),
		}
		if e.spends() && e.ErrorCode == "" {
			row.MicroUSD = p.cfg.MicroUSDPerRequest
		}
		counts[row]++
	}
	var rows []keys.UsageRow
	for row, n := range counts {
		row.Requests, row.MicroUSD = n, n*row.MicroUSD
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b keys.UsageRow) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Model, b.Model), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Code, b.Code))
	})
	return rows
}

// begin is when the theft began: the first call of a thief's routine or the first burst, whichever is earlier; and which
// addresses nobody had used before that.
func begin(all []event, burst time.Time) (time.Time, []string) {
	first := burst
	for _, e := range all {
		if e.probing() && (first.IsZero() || e.EventTime.Before(first)) {
			first = e.EventTime
		}
	}
	if first.IsZero() {
		return first, nil
	}
	known, fresh := map[string]bool{}, map[string]bool{}
	for _, e := range all {
		if e.EventTime.Before(first) {
			known[e.SourceIPAddress] = true
		} else if e.SourceIPAddress != "" && !known[e.SourceIPAddress] {
			fresh[e.SourceIPAddress] = true
		}
	}
	return first, slices.Sorted(maps.Keys(fresh))
}

// price takes the configured estimate, or asks Cost Explorer for what the whole account was billed.
func (p *Provider) price(ctx context.Context, u keys.Usage, since, until time.Time) (keys.Usage, error) {
	b, err := p.costs(ctx, since, until)
	if p.cfg.MicroUSDPerRequest > 0 {
		u.CostKnown, u.CostBasis = true, "estimated from CloudTrail's events and "+p.cfg.PriceBasis
		u.Raw = append(u.Raw, b.raw...) // the bill is evidence all the same
		return u, endOf(ctx, err)
	}
	if err != nil {
		u.CostBasis = fmt.Sprintf("unknown: %s", cut(err.Error()))
		return u, endOf(ctx, err)
	}
	u.MicroUSD, u.CostKnown, u.Raw = b.microUSD, true, append(u.Raw, b.raw...)
	u.CostBasis = "billed for Bedrock in the whole AWS account on whole UTC days, up to 24 hours late"
	return u, nil
}

// endOf lets only the end of the context through: a bill that cannot be had leaves the rest of the answer true.
func endOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return err
	}
	return nil
}
