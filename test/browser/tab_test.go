package browser

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "write what is seen as PNG into this folder")

// look is a way to look at pages.
type look struct {
	name          string
	width, height int64
	dark          bool
}

var (
	light = look{"light", 1280, 900, false}
	dark  = look{"dark", 1280, 900, true}
	phone = look{"phone", 390, 844, false}
)

// tab is a window of its own, with its own cookies.
type tab struct {
	t   *testing.T
	ctx context.Context
	h   *house

	mu     sync.Mutex
	faults []string // what the browser complained about
}

var browser struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(code)
}

// start runs one Chromium for all tests.
func start() {
	at := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			at = found
			break
		}
	}
	if at == "" {
		browser.err = fmt.Errorf("there is no Chromium on this machine; test/setup.sh installs it")
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(at), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	all, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(all)
	browser.ctx, browser.stop = ctx, func() { stop(); stopAll() }
	browser.err = chromedp.Run(ctx)
}

// window opens one with cookies of its own. It has to be a window: a tab beside others would need one that is open already.
func window() (target.ID, error) {
	c := cdp.WithExecutor(browser.ctx, chromedp.FromContext(browser.ctx).Browser)
	own, err := target.CreateBrowserContext().Do(c)
	if err != nil {
		return "", err
	}
	return target.CreateTarget("about:blank").WithBrowserContextID(own).WithNewWindow(true).Do(c)
}

func (h *house) tab(l look) *tab { h.t.Helper(); return h.tabOf(h.t, l) }

// tabOf is a tab of a test within the test that opened the house.
func (h *house) tabOf(t *testing.T, l look) *tab {
	t.Helper()
	browser.once.Do(start)
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	id, err := window()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewContext(browser.ctx, chromedp.WithTargetID(id))
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute) // a machine that builds beside it is slow
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, h: h}
	chromedp.ListenTarget(ctx, b.hear)
	b.do(log.Enable(), runtime.Enable())
	b.see(l)
	return b
}

// hear keeps what the browser complains about: refused by the policy of the page, not found, thrown.
func (b *tab) hear(event any) {
	fault := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && !strings.Contains(e.Entry.Text, "status of 4") {
			fault = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		fault = e.ExceptionDetails.Error()
	}
	if fault != "" {
		b.mu.Lock()
		b.faults = append(b.faults, fault)
		b.mu.Unlock()
	}
}

func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		var at, text string
		_ = chromedp.Run(b.ctx, chromedp.Location(&at), chromedp.Text("body", &text, chromedp.ByQuery))
		b.t.Fatalf("%v\nat %s:\n%.1500s", err, at, text)
	}
}

func (b *tab) see(l look) {
	b.t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	b.do(emulation.SetDeviceMetricsOverride(l.width, l.height, 1, l.name == phone.name),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

func (b *tab) goTo(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.h.url+path), chromedp.WaitReady("#main", chromedp.ByQuery))
}

// signIn signs in with a personal token.
func (b *tab) signIn(person string) {
	b.t.Helper()
	b.goTo("/sign-in")
	b.do(chromedp.SendKeys("#token", b.h.tokens[person], chromedp.ByQuery), chromedp.Submit("#token", chromedp.ByQuery), chromedp.WaitVisible("nav[aria-label=Main]", chromedp.ByQuery))
}

func (b *tab) text(selector string) (text string) {
	b.t.Helper()
	b.do(chromedp.Text(selector, &text, chromedp.ByQuery))
	return text
}

func (b *tab) ask(script string, into any) {
	b.t.Helper()
	b.do(chromedp.Evaluate(script, into))
}

// quiet fails the test when the browser complained.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Errorf("the browser complains: %s", f)
	}
}

// picture writes the whole page.
func (b *tab) picture(name string) {
	b.t.Helper()
	if *pictures == "" {
		return
	}
	var shot []byte
	b.do(chromedp.FullScreenshot(&shot, 100))
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), shot, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// withoutScript keeps the pages' script from running.
func (b *tab) withoutScript() { b.t.Helper(); b.do(emulation.SetScriptExecutionDisabled(true)) }

// pdf is the page as it prints.
func (b *tab) pdf() (out []byte) {
	b.t.Helper()
	b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		out, _, err = page.PrintToPDF().Do(ctx)
		return err
	}))
	return out
}

// status is how a path is answered to this session.
func (b *tab) status(path string) (status int) {
	b.t.Helper()
	b.do(network.Enable())
	res, err := chromedp.RunResponse(b.ctx, chromedp.Navigate(b.h.url+path))
	if err != nil || res == nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	return int(res.Status)
}

// violation is what axe says of a page.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// axe judges the page: every rule of WCAG 2.2 at level AA, and what is called good practice. In other looks than the first, only
// what a look can change.
func (b *tab) axe(l look) (found []violation) {
	b.t.Helper()
	var raw string
	only := map[string]string{dark.name: `, runOnly: ["color-contrast"]`, phone.name: `, runOnly: ["color-contrast", "scrollable-region-focusable", "target-size", "meta-viewport"]`}[l.name]
	b.do(chromedp.Evaluate(axeSource(b.t)+";0", nil), chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]`+only+`}).then(r => JSON.stringify(r.violations))`, &raw,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		b.t.Fatal(err)
	}
	return found
}

func (v violation) String() string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s (%s): %s", v.ID, v.Impact, v.Help)
	for i, n := range v.Nodes {
		if i == 4 {
			fmt.Fprintf(&out, "\n  and %d more", len(v.Nodes)-i)
			break
		}
		fmt.Fprintf(&out, "\n  %.300s\n    %.300s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", " "))
	}
	return out.String()
}

// axeSource is where test/setup.sh put it.
func axeSource(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	sum := sha256.Sum256(lock)
	at := filepath.Join(cache, "tourniquet-test", "browser-"+hex.EncodeToString(sum[:])[:12], "node_modules", "axe-core", "axe.min.js")
	body, err := os.ReadFile(at)
	if err != nil {
		t.Fatalf("axe-core is not installed; run test/setup.sh: %v", err)
	}
	return string(body)
}
