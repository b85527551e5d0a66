package bedrock

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// unrecorded names the Regions in which invocations are not logged.
func (p *Provider) unrecorded(ctx context.Context, now time.Time) (out []keys.Trace, err error) {
	for _, region := range p.cfg.Regions {
		on, err := p.logging(ctx, region)
		if err != nil {
			return nil, err
		}
		if !on {
			out = append(out, keys.Trace{Kind: "invocation_logging_off", What: "what models are asked is not recorded in " + region, At: now.UTC()})
		}
	}
	return out, nil
}

// logging reports whether a Region records what models are asked.
func (p *Provider) logging(ctx context.Context, region string) (on bool, err error) {
	client := p.bedrock(p.aws(region))
	err = p.read(ctx, fmt.Sprintf("asking whether Bedrock logs invocations in %s", region), func() error {
		got, err := client.GetModelInvocationLoggingConfiguration(ctx, &bedrock.GetModelInvocationLoggingConfigurationInput{})
		if err == nil {
			on = got.LoggingConfig != nil
		}
		return err
	})
	return on, err
}

// bedrock is the control plane's client.
func (p *Provider) bedrock(cfg aws.Config) *bedrock.Client {
	return bedrock.NewFromConfig(cfg, func(o *bedrock.Options) {
		o.BaseEndpoint = at(p.cfg.Endpoints.Bedrock, cfg.Region)
		o.AuthSchemePreference = []string{"aws.auth#sigv4"} // never a bearer token that happens to lie in the environment
	})
}
