package sources

import "strings"

// secretTypes maps the beginning of a scanner's name for a kind of secret to our name for who issued it. The first
// that fits wins: azure_openai stands before openai.
var secretTypes = []struct{ prefix, provider string }{
	{"google_api_key", "gemini"},
	{"google_gemini", "gemini"},
	{"azure_openai", "azure_openai"},
	{"openai_", "openai"},
	{"anthropic_", "anthropic"},
	{"openrouter_", "openrouter"},
	{"amazon_bedrock", "bedrock"},
	{"aws_bedrock", "bedrock"},
	{"litellm_", "litellm"},
}

// ProviderOf names the provider of a secret by the scanner's name for its kind; "" when it is none of ours.
func ProviderOf(secretType string) string {
	t := strings.ToLower(secretType)
	for _, s := range secretTypes {
		if strings.HasPrefix(t, s.prefix) {
			return s.provider
		}
	}
	return ""
}
