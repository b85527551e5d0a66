package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// What happens to the key of a scenario.
const (
	TheftSpends = "spends" // a thief spends until he is stopped
	TheftNone   = "none"   // it leaked and nobody used it
	TheftHonest = "honest" // a load test of our own that somebody forgot
)

// Scenario is one rehearsal, as data: whose key it is, what happens to it, how that is found out, what people answer,
// and what must come of it.
type Scenario struct {
	Name    string
	Summary string
	Outcome string // of the run, as the scenario expects it
	Issuer  Issuer
	Theft   string        // TheftSpends, TheftNone or TheftHonest
	Spend   time.Duration // how long the key is used before the alert
	Answer  string        // what people answer when they are asked, one word for each question
	// Pace of the use; zero is the thief's own 28 USD a minute.
	Pace Pace
	// Past lets the key have been used before the drill; nil: it is new.
	Past func(*World, Key)
	// Unannounced says that nobody tells the product: its own watch has to notice.
	Unannounced bool
	// Watch is the watch section of the configuration; empty: as the product ships.
	Watch      string
	Everywhere bool // the key lies in Kubernetes, Vault, AWS and Google, too
	// Finding is what another system posts to the product's generic door; nil means that GitHub's scanner finds the key.
	Finding func(*Stage) map[string]any
	// Intrude is what a thief does with the key before he spends; nil means that he spends at once.
	Intrude func(context.Context, *Stage) error
}

// Pace is how fast a key is used.
type Pace struct {
	USDPerMinute float64
	Every        time.Duration // between calls
}

// Issuer is one provider as a stage needs it: its servers, the key, and what an operator would have written down.
type Issuer struct {
	Provider   string                         // as tourniquet.yaml and GitHub's secret types name it
	SecretType string                         // GitHub's name for such a secret
	Serve      func(*World) http.Handler      // everything that the provider answers, on one address
	Leak       func(*World) Key               // makes the key that the applications use and that leaks
	Call       Call                           // one model call with a key's value
	Config     string                         // the account's line under providers:, with @url and @secrets
	Secrets    func(*World) map[string]string // the responder's credentials, as files below @secrets
	ByHand     func(w *World, who string) Key // makes a key on the provider's own pages; nil where a call makes them
	Brief      time.Duration                  // how long a deleted key goes on working without --realistic; 0 means 20 s
	Lingers    time.Duration                  // how long a deleted key really goes on working; 0 means 20 s, nobody published a figure
	LingersWhy string                         // where that is from, in words
}

// Call words one model call of tokens output tokens, made with the value of a key.
type Call func(ctx context.Context, base, secret string, tokens int) (*http.Request, error)

// Scenarios are all rehearsals, the default first.
func Scenarios() []Scenario {
	return []Scenario{
		geminiLeak(), geminiServiceAccount(), openaiLeak(), anthropicLeak(), litellmProxy(), openrouterLeak(), leakedNotUsed(), falseAlarm(), bedrockAccessKey(), bedrockAPIKey(), azureRegenerate(),
		quietTheft(), slowTheft(), busyLaunch(), everyStore(),
	}
}

// ScenarioNamed finds one; the name "" is the default.
func ScenarioNamed(name string) (Scenario, bool) {
	for _, s := range Scenarios() {
		if name == "" || s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}

// adminSecret is the responder's credential of the providers that take one bearer token.
func adminSecret(w *World) map[string]string {
	return map[string]string{"provider-admin": w.AdminToken()}
}

// RealDelay is how long a deleted key goes on working with --realistic.
func (sc Scenario) RealDelay() time.Duration {
	if sc.Issuer.Lingers == 0 {
		return 20 * time.Second
	}
	return sc.Issuer.Lingers
}

// Delay is how long a deleted key goes on working in a drill.
func (sc Scenario) Delay(realistic bool) time.Duration {
	switch {
	case realistic:
		return sc.RealDelay()
	case sc.Issuer.Brief > 0:
		return sc.Issuer.Brief
	}
	return 20 * time.Second
}

// envName is the secret under which an application keeps the key.
func (i Issuer) envName(app string) string { return strings.ToUpper(app + "_" + i.Provider + "_key") }

// leak is a scenario in which GitHub's scanner finds a key that a thief spends on.
func leak(name, summary string, issuer Issuer) Scenario {
	return Scenario{
		Name: name, Summary: summary, Issuer: issuer, Outcome: incident.OutcomeContained,
		Theft: TheftSpends, Spend: 3 * time.Second, Answer: "abuse",
	}
}

func leakedNotUsed() Scenario {
	s := leak("leaked-not-used", "a Gemini key leaks in a repository and is replaced before anybody used it", google())
	s.Theft, s.Spend = TheftNone, time.Second
	return s
}

// falseAlarm ends with the key as it was: people say that the load was their own, and sign for taking the measure back.
func falseAlarm() Scenario {
	s := leak("false-alarm", "a forgotten load test looks like a theft; the key is stopped, and given back when people sign for it", google())
	s.Theft, s.Answer, s.Outcome = TheftHonest, "legitimate", incident.OutcomeFalseAlarm
	s.Finding = func(s *Stage) map[string]any {
		return map[string]any{
			"id": "burn-" + s.Key.ID, "kind": incident.KindUsageAnomaly, "severity": "high", "title": "28 USD a minute on a key that costs 6 USD a day",
			"key": map[string]any{"provider": s.Scenario.Issuer.Provider, "account": s.Account, "id": s.Key.ID, "hint": s.Key.Hint()},
		}
	}
	return s
}

// modelRequest words a JSON call to a model.
func modelRequest(ctx context.Context, base, path, header, value string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+path, strings.NewReader(string(body)))
	if err != nil {
		return nil, fmt.Errorf("the address of the model API is not a URL")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(header, value)
	return r, nil
}
