package config

import (
	"strings"
	"testing"
)

func TestWhatACloudAccountCannotDoWithoutIsSaid(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"access_key_id and secret_access_key go together": "bedrock: [{ account: a, access_key_id: env://ID }]",
		`"s3" is not known`:                           "bedrock: [{ account: a, endpoints: { s3: https://s3.example.com } }]",
		"client_secret needs tenant_id and client_id": "azure_openai: [{ account: a, client_secret: env://SECRET }]",
		`"graph" is not known`:                        "azure_openai: [{ account: a, endpoints: { graph: https://graph.example.com } }]",
		"is not an address":                           "bedrock: [{ account: a, endpoints: { iam: nowhere } }]",
		"never the secret itself":                     "azure_openai: [{ account: a, access_token: ey123 }]",
	} {
		_, err := Parse([]byte("providers:\n  " + text + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	c, err := Parse([]byte("providers:\n  bedrock: [{ account: a, regions: [eu-west-1], endpoints: { sts: \"https://sts.{region}.example.com\" } }]\n"))
	if err != nil || c.Providers.Servers()[0] != "https://sts.eu-west-1.example.com" {
		t.Errorf("the Region is not put into the address: %v, %v", c, err)
	}
}
