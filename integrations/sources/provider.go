package sources

import "strings"

// secretTypes maps the beginning of a scanner's name for a kind of secret, in small letters and without separators, to
// our name for who issued it. The first that fits wins: azureopenai stands before openai.
var secretTypes = []struct{ prefix, provider string }{
	{"googleapikey", "gemini"}, {"googlegemini", "gemini"}, {"gcpapikey", "gemini"}, {"gemini", "gemini"},
	{"azureopenai", "azure_openai"}, {"microsoftazureopenai", "azure_openai"},
	{"openai", "openai"},
	{"anthropic", "anthropic"}, {"claude", "anthropic"},
	{"openrouter", "openrouter"},
	{"amazonbedrock", "bedrock"}, {"awsbedrock", "bedrock"}, {"awsaccess", "bedrock"}, {"awsiam", "bedrock"}, {"amazonawsaccess", "bedrock"},
	{"litellm", "litellm"},
}

// ProviderOf names the provider of a secret by the scanner's name for its kind; "" when it is none of ours.
func ProviderOf(secretType string) string {
	t := squeeze(secretType)
	if t == "aws" { // a whole name of one scanner, and too short to be the beginning of others
		return "bedrock"
	}
	for _, s := range secretTypes {
		if strings.HasPrefix(t, s.prefix) {
			return s.provider
		}
	}
	return ""
}

// squeeze leaves small letters and digits: scanners differ in how they separate words.
func squeeze(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		}
		return -1
	}, cut(s, 100))
}

// named is the clue of a finding whose kind of secret its scanner names: our provider, or the scanner's word where it is none
// of ours, so that nobody takes a key of somebody else for one that we answer for.
func named(secretType string) string {
	if p := ProviderOf(secretType); p != "" {
		return p
	}
	return strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, cut(secretType, 60)), "_")
}
