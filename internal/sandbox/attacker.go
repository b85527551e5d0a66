package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// AttackerOptions say what the thief has and how greedy he is.
type AttackerOptions struct {
	Provider     string        // gemini or openai
	URL          string        // base URL of the model API
	Secret       string        // the stolen value
	USDPerMinute float64       // default 28: 82,000 dollars in 48 hours
	Every        time.Duration // between calls while he is served; default 100 ms
	RetryEvery   time.Duration // between calls after a refusal; default 1 s
}

// Attacker spends on a stolen key over HTTP until he is stopped. What he spends is billed by the world, never by him.
type Attacker struct {
	client *http.Client
	opt    AttackerOptions
	body   []byte
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // the life of the thief, ended by Stop
	done   chan struct{}
	start  sync.Once
}

// The thief's favourite models; their output costs ten dollars per million tokens in this world.
const (
	thiefGeminiModel = "gemini-2.5-pro"
	thiefOpenAIModel = "gpt-5"
	thiefUSDPerToken = 10.0 / 1e6
)

// NewAttacker makes a thief who does nothing until Start. A nil client gets one with a time-out.
func NewAttacker(client *http.Client, opt AttackerOptions) *Attacker {
	if opt.USDPerMinute == 0 {
		opt.USDPerMinute = 28
	}
	if opt.Every == 0 {
		opt.Every = 100 * time.Millisecond
	}
	if opt.RetryEvery == 0 {
		opt.RetryEvery = time.Second
	}
	if client == nil {
		client = &http.Client{Timeout: 5 * time.Second}
	}
	ctx, stop := context.WithCancel(context.Background())
	tokens := max(int(opt.USDPerMinute*opt.Every.Minutes()/thiefUSDPerToken), 1)
	return &Attacker{client: client, opt: opt, body: modelBody(opt.Provider, tokens), ctx: ctx, stop: stop, done: make(chan struct{})}
}

// Start lets him loose; a second Start does nothing.
func (a *Attacker) Start() { a.start.Do(func() { go a.loop() }) }

// Stop ends him and waits until his last call is over.
func (a *Attacker) Stop() {
	a.stop()
	a.start.Do(func() { close(a.done) }) // he was never started
	<-a.done
}

func (a *Attacker) loop() {
	defer close(a.done)
	served := time.NewTicker(a.opt.Every)
	defer served.Stop()
	for {
		wait := served.C
		if status := callModel(a.ctx, a.client, a.opt.Provider, a.opt.URL, a.opt.Secret, ActorAttacker, a.body); status != http.StatusOK {
			wait = time.After(a.opt.RetryEvery)
		}
		select {
		case <-a.ctx.Done():
			return
		case <-wait:
		}
	}
}

// modelBody asks for tokens output tokens.
func modelBody(provider string, tokens int) []byte {
	var body any = map[string]any{
		"contents":         []any{map[string]any{"role": "user", "parts": []any{map[string]string{"text": "Tell me a long story."}}}},
		"generationConfig": map[string]int{"maxOutputTokens": tokens},
	}
	if provider == "openai" {
		body = map[string]any{
			"model": thiefOpenAIModel, "max_completion_tokens": tokens,
			"messages": []any{map[string]string{"role": "user", "content": "Tell me a long story."}},
		}
	}
	text, _ := json.Marshal(body) // maps of strings and numbers always encode
	return text
}

// callModel makes one model call and answers its status; 0 means that no answer came.
func callModel(ctx context.Context, client *http.Client, provider, base, secret, actor string, body []byte) int {
	url, header, value := strings.TrimSuffix(base, "/")+"/v1beta/models/"+thiefGeminiModel+":generateContent", "X-Goog-Api-Key", secret
	if provider == "openai" {
		url, header, value = strings.TrimSuffix(base, "/")+"/v1/chat/completions", "Authorization", "Bearer "+secret
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(header, value)
	request.Header.Set(ActorHeader, actor)
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, bodyLimit))
	return response.StatusCode
}
