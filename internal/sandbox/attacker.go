package sandbox

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// AttackerOptions say what the thief has and how greedy he is.
type AttackerOptions struct {
	Call         Call          // how the provider's model API is called
	URL          string        // base URL of the model API
	Secret       string        // the stolen value
	Actor        string        // default ActorAttacker; a forgotten load test is somebody else
	USDPerMinute float64       // default 28: 82,000 dollars in 48 hours
	Every        time.Duration // between calls while he is served; default 100 ms
	RetryEvery   time.Duration // between calls after a refusal; default 1 s
}

// Attacker spends on a stolen key over HTTP until he is stopped. What he spends is billed by the world, never by him.
type Attacker struct {
	client *http.Client
	opt    AttackerOptions
	tokens int
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // the life of the thief, ended by Stop
	done   chan struct{}
	start  sync.Once
}

// The thief's favourite models cost ten dollars per million output tokens in this world.
const (
	thiefUSDPerToken = 10.0 / 1e6
	modelPrompt      = "Tell me a long story."
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
	if opt.Actor == "" {
		opt.Actor = ActorAttacker
	}
	if client == nil {
		client = &http.Client{Timeout: 5 * time.Second}
	}
	ctx, stop := context.WithCancel(context.Background())
	tokens := max(int(opt.USDPerMinute*opt.Every.Minutes()/thiefUSDPerToken), 1)
	return &Attacker{client: client, opt: opt, tokens: tokens, ctx: ctx, stop: stop, done: make(chan struct{})}
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
		if status := a.opt.Call.do(a.ctx, a.client, a.opt.URL, a.opt.Secret, a.opt.Actor, a.tokens); status != http.StatusOK {
			wait = time.After(a.opt.RetryEvery)
		}
		select {
		case <-a.ctx.Done():
			return
		case <-wait:
		}
	}
}

// actorKey carries who calls, for calls that ask for something else first.
type actorKey struct{}

// do makes one model call and answers its status; 0 means that no answer came.
func (call Call) do(ctx context.Context, client *http.Client, base, secret, actor string, tokens int) int {
	request, err := call(context.WithValue(ctx, actorKey{}, actor), base, secret, tokens)
	if err != nil {
		return 0
	}
	request.Header.Set(ActorHeader, actor)
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, bodyLimit))
	return response.StatusCode
}
