package lookout

import "time"

// Pace is how fine a provider counts, and how long it takes until a call is counted.
type Pace struct {
	Width time.Duration // of one bucket
	Lag   time.Duration // buckets younger than this may still be empty
	Fine  time.Duration // how far back minutes are told; beyond that, hours. 0: always
}

// paces are what the providers' documents say, and cautious where they say nothing (facts: usage endpoints of OpenAI and
// Anthropic tell minutes for a day and lag about five minutes; Google's monitoring is sampled each minute and shows after
// up to four; CloudTrail delivers within about a quarter of an hour).
var paces = map[string]Pace{
	"gemini":       {Width: 5 * time.Minute, Lag: 4 * time.Minute},
	"openai":       {Width: 5 * time.Minute, Lag: 5 * time.Minute, Fine: 24 * time.Hour},
	"anthropic":    {Width: 5 * time.Minute, Lag: 5 * time.Minute, Fine: 24 * time.Hour},
	"bedrock":      {Width: 15 * time.Minute, Lag: 15 * time.Minute},
	"azure_openai": {Width: 5 * time.Minute, Lag: 5 * time.Minute},
	"openrouter":   {Width: time.Hour, Lag: 5 * time.Minute},
	"litellm":      {Width: 5 * time.Minute, Lag: time.Minute},
}

// pace of a provider; the configuration may set another width, which drills do.
func (l *Lookout) pace(provider string) Pace {
	p, ok := paces[provider]
	if !ok {
		p = Pace{Width: 15 * time.Minute, Lag: 15 * time.Minute, Fine: 24 * time.Hour}
	}
	if l.Width > 0 {
		p.Width, p.Lag = l.Width, min(p.Lag, l.Width)
	}
	return p
}
