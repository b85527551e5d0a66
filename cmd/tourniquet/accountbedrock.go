package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/internal/config"
)

func bedrockAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.Bedrock {
		creds, err := awsCredentials(s, c)
		if err != nil {
			return nil, fmt.Errorf("providers.bedrock account %q: %w", c.Account, err)
		}
		p, err := bedrock.New(bedrock.Config{
			HTTPClient: s.client("bedrock", c.Account), Account: c.Account, AccountID: c.AccountID, Regions: c.Regions, Credentials: creds, MicroUSDPerRequest: c.MicroUSDPerRequest, PriceBasis: c.PriceBasis,
			Endpoints: bedrock.Endpoints{
				IAM: c.Endpoints["iam"], STS: c.Endpoints["sts"], CloudTrail: c.Endpoints["cloudtrail"], Bedrock: c.Endpoints["bedrock"], CostExplorer: c.Endpoints["cost_explorer"],
			},
		})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}

// awsCredentials are the responder's own: a key of the configuration, or what AWS's client finds in profile, environment
// and machine; then the role, where one is named. Nothing is called here.
func awsCredentials(s settings, c config.Bedrock) (aws.CredentialsProvider, error) {
	base := aws.Config{}
	if c.AccessKeyID != "" {
		id, err := c.AccessKeyID.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("access_key_id: %w", err)
		}
		secret, err := c.SecretAccessKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("secret_access_key: %w", err)
		}
		base.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
	} else {
		found, err := awsconfig.LoadDefaultConfig(context.Background(), awsconfig.WithSharedConfigProfile(c.Profile))
		if err != nil {
			return nil, fmt.Errorf("AWS's own configuration cannot be read: %w", err)
		}
		base = found
	}
	if c.RoleARN == "" {
		return base.Credentials, nil
	}
	base.Region = c.Region()
	client := sts.NewFromConfig(base, func(o *sts.Options) {
		if at := c.Endpoints["sts"]; at != "" {
			o.BaseEndpoint = aws.String(at)
		}
	})
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, c.RoleARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "tourniquet" })), nil
}
