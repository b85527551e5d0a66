package bedrock

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
)

// bill is one answer of Cost Explorer. Each one costs a cent and changes a few times a day, so it is kept for a while.
type bill struct {
	microUSD int64
	raw      []keys.Raw
	at       time.Time
}

const (
	billFor   = 15 * time.Minute
	mostBills = 100
)

// costs is what the account was billed for Bedrock on the days that since and until fall into. Models of other makers are
// billed as services of their own, whose names all hold the word Bedrock.
func (p *Provider) costs(ctx context.Context, since, until time.Time) (bill, error) {
	from, to := since.UTC().Format(time.DateOnly), until.UTC().Add(24*time.Hour).Format(time.DateOnly)
	p.mu.Lock()
	known, ok := p.billed[from+to]
	p.mu.Unlock()
	if ok && p.cfg.Now().Sub(known.at) < billFor {
		return known, nil
	}
	recording, recorder := tape.Record(ctx)
	micro, err := p.ask(recording, from, to)
	if err != nil {
		return bill{}, err
	}
	b := bill{microUSD: micro, raw: recorder.Evidence("cost-explorer"), at: p.cfg.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.billed) >= mostBills {
		clear(p.billed)
	}
	p.billed[from+to] = b
	return b, nil
}

func (p *Provider) ask(ctx context.Context, from, to string) (micro int64, err error) {
	client := costexplorer.NewFromConfig(p.aws(globalRegion), func(o *costexplorer.Options) { o.BaseEndpoint = at(p.cfg.Endpoints.CostExplorer, globalRegion) })
	in := &costexplorer.GetCostAndUsageInput{
		TimePeriod: &types.DateInterval{Start: &from, End: &to}, Granularity: types.GranularityDaily, Metrics: []string{"UnblendedCost"},
		GroupBy: []types.GroupDefinition{{Type: types.GroupDefinitionTypeDimension, Key: aws.String("SERVICE")}},
	}
	for {
		err := p.read(ctx, "asking Cost Explorer for the bill of Bedrock", func() error {
			page, err := client.GetCostAndUsage(ctx, in)
			if err != nil {
				return err
			}
			for _, day := range page.ResultsByTime {
				for _, g := range day.Groups {
					one, err := bedrockCost(g)
					if err != nil {
						return err
					}
					micro += one
				}
			}
			in.NextPageToken = page.NextPageToken
			return nil
		})
		if err != nil || in.NextPageToken == nil {
			return micro, err
		}
	}
}

func bedrockCost(g types.Group) (int64, error) {
	if len(g.Keys) == 0 || !strings.Contains(strings.ToLower(g.Keys[0]), "bedrock") {
		return 0, nil
	}
	m := g.Metrics["UnblendedCost"]
	usd, err := strconv.ParseFloat(aws.ToString(m.Amount), 64)
	if err != nil || math.IsNaN(usd) || math.IsInf(usd, 0) || aws.ToString(m.Unit) != "USD" {
		return 0, keys.Permanent(fmt.Errorf("the bill of Bedrock is no number of US dollars: %q %q", cut(aws.ToString(m.Amount)), cut(aws.ToString(m.Unit))))
	}
	return int64(math.Round(usd * 1e6)), nil
}
