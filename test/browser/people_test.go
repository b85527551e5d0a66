package browser

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

const runPage = "/runs/" + reporttest.RunID

// pages are all that there are, with a name for the pictures.
var pages = [][2]string{
	{"now", "/"}, {"runs", "/runs"}, {"run", runPage}, {"history", runPage + "/history"}, {"step", runPage + "/step?path=first_minute/usage"}, {"signoffs", "/signoffs"}, {"signoff", "/signoffs/" + reporttest.Open},
	{"signoff-done", "/signoffs/" + reporttest.Approved}, {"question", "/questions/" + reporttest.Question}, {"alerts", "/alerts"}, {"alert", "/alerts/al-01"}, {"keys", "/keys"},
	{"playbooks", "/playbooks"}, {"playbook", "/playbooks/llmjacking"}, {"actions", "/actions"}, {"setup", "/setup"}, {"missing", "/runs/none"},
}

func TestEveryPageIsCleanForAxeInLightAndDarkAndOnAPhone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, l := range []look{light, dark, phone} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			b := h.tabOf(t, l)
			b.goTo("/sign-in")
			b.judge("sign-in", l)
			b.signIn("marek")
			for _, p := range pages {
				b.goTo(p[1])
				b.picture(p[0] + "-" + l.name)
				b.ask(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
				b.judge(p[0], l)
			}
			b.quiet()
		})
	}
}

// judge says what axe finds on a page, and whether it is wider than its window.
func (b *tab) judge(name string, l look) {
	b.t.Helper()
	for _, v := range b.axe(l) {
		b.t.Errorf("%s, %s: %s", name, l.name, v)
	}
	var wide string
	b.ask(`(() => { const w = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= w) return "";
		return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest(".scroll, .picture, svg, pre")).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join("\n") || "something" })()`, &wide)
	if wide != "" {
		b.t.Errorf("%s, %s: wider than the window: %s", name, l.name, wide)
	}
}

func TestAResponderSignsInOnAPhoneAndDecides(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.tab(phone)
	b.do(chromedp.Navigate(h.url+"/signoffs/"+reporttest.Open), chromedp.Click("a.button.primary", chromedp.ByQuery),
		chromedp.WaitVisible(`button[value="00u-ana"]`, chromedp.ByQuery), chromedp.Click(`button[value="00u-ana"]`, chromedp.ByQuery),
		chromedp.WaitVisible("#code", chromedp.ByQuery))
	if page := b.text("main"); !strings.Contains(page, "Delete the stolen key for good") || !strings.Contains(page, "gemini:acme-prod:keys/4c1f") || !strings.Contains(page, "Cannot be undone") {
		t.Errorf("the page does not say what would happen: %s", page)
	}
	b.do(chromedp.SendKeys("#code", "0000-0000", chromedp.ByQuery), chromedp.Click("button.primary", chromedp.ByQuery), chromedp.WaitVisible("[role=alert]", chromedp.ByQuery))
	if said := b.text("[role=alert]"); !strings.Contains(said, "Not accepted.") || !strings.Contains(said, "stale_digest") {
		t.Errorf("a wrong code is answered %q", said)
	}
	b.do(chromedp.SetValue("#code", h.open.Code, chromedp.ByQuery), chromedp.SendKeys("#note", "checked with the shop team", chromedp.ByQuery),
		chromedp.Click("button.primary", chromedp.ByQuery), chromedp.WaitVisible(".answer.yes", chromedp.ByQuery))
	if seats := b.text(".num"); !strings.HasPrefix(seats, "2") {
		t.Errorf("the seats are %q", seats)
	}
	b.picture("decided-phone")
	if attempts := b.text("table.attempts"); strings.Count(attempts, "ana") != 2 || !strings.Contains(attempts, "refused") {
		t.Errorf("not every attempt is on the page: %s", attempts)
	}
	b.quiet()
}

func TestAReviewerReadsTheWholeStory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := h.tab(light)
	b.signIn("marek")
	b.goTo("/runs")
	b.do(chromedp.SendKeys("#text", "shop", chromedp.ByQuery), chromedp.SendKeys("#text", kb.Enter, chromedp.ByQuery),
		// The link stands on the page that is left, too; only the page that answers has the words in it.
		chromedp.WaitReady(`#text[value="shop"]`, chromedp.ByQuery), chromedp.WaitVisible(`a[href="`+runPage+`"]`, chromedp.ByQuery),
		chromedp.Click(`a[href="`+runPage+`"]`, chromedp.ByQuery), chromedp.WaitVisible("h1[data-run]", chromedp.ByQuery))
	var heads []string
	b.ask(`[...document.querySelectorAll("#main h2, #main .marks .name")].map(e => e.firstChild.textContent.trim())`, &heads)
	at := -1
	for _, part := range []string{"Still open", "First abuse", "Proven", "Course", "Steps", "Sign-offs", "Evidence", "Lessons and next steps", "Ledger", "Playbook"} {
		i := slices.Index(heads, part)
		if i <= at {
			t.Errorf("%q does not stand where it belongs: %q", part, heads)
		}
		at = i
	}
	page := b.text("main")
	for _, part := range []string{"Waiting for people", "Still in force", "approved = executed", "hash chain verified", "2 of secops may decide"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	b.do(chromedp.Click("#d-first_minute\\/usage > summary", chromedp.ByQuery), chromedp.WaitVisible("#d-first_minute\\/usage pre", chromedp.ByQuery))
	if io := b.text("#d-first_minute\\/usage"); !strings.Contains(io, "48210") {
		t.Errorf("the step does not show what it gave: %s", io)
	}
	b.do(chromedp.Click(`.choices a[href*="lane=people"]`, chromedp.ByQuery), chromedp.WaitVisible(`.choices a[href*="lane=people"][aria-current]`, chromedp.ByQuery))
	if ledger := b.text("section[aria-labelledby=h-time]"); !strings.Contains(ledger, "hidden by this filter") || strings.Contains(ledger, "key.contain done") {
		t.Errorf("the filter does not say what it hides: %s", ledger)
	}
	b.goTo(runPage + "/history")
	if events := b.text("main"); !strings.Contains(events, "WorkflowExecutionStarted") || !strings.Contains(events, "identify") {
		t.Errorf("the history does not lead to the steps: %s", events)
	}
	var marks int
	b.goTo(runPage)
	b.ask(`document.querySelectorAll(".picture svg .is-done").length`, &marks)
	if marks == 0 {
		t.Error("the picture of the playbook shows no step that was done")
	}
	b.do(chromedp.Click("#f-review > summary", chromedp.ByQuery), chromedp.SendKeys("#lesson", "keys <b>leak</b>", chromedp.ByQuery), chromedp.Submit("#lesson", chromedp.ByQuery),
		chromedp.WaitVisible(`//ul[@class="open"]/li[contains(., "keys <b>leak</b>")]`, chromedp.BySearch))
	b.quiet()
}

func TestAPageMovesByItselfWhenSomebodyElseDecides(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	reviewer, responder := h.tab(light), h.tab(light)
	reviewer.signIn("vic")
	reviewer.goTo("/signoffs/" + reporttest.Open)
	reviewer.do(chromedp.WaitVisible(`//span[@id="live" and text()="live"]`, chromedp.BySearch))
	if page := reviewer.text("aside[aria-label=Decision]"); strings.Contains(page, "Approve 1 call") || !strings.Contains(page, "You may look") {
		t.Error("whoever may only look is offered a decision")
	}
	responder.signIn("ana")
	responder.goTo("/signoffs/" + reporttest.Open)
	responder.do(chromedp.SendKeys("#code", h.open.Code, chromedp.ByQuery), chromedp.Click("button.primary", chromedp.ByQuery), chromedp.WaitVisible(".answer.yes", chromedp.ByQuery))
	reviewer.do(chromedp.WaitVisible(`//table[contains(@class, "attempts")]//th[contains(., "ana")]`, chromedp.BySearch))
	reviewer.quiet()
}

func TestWhoMayOnlyLookCannotOpenMoreByItsAddress(t *testing.T) {
	t.Parallel()
	b := newHouse(t).tab(light)
	b.signIn("vic")
	for path, want := range map[string]int{runPage: http.StatusOK, runPage + "/history": http.StatusForbidden, "/setup": http.StatusForbidden, "/v1/runs/" + reporttest.RunID + "/evidence": http.StatusForbidden} {
		if got := b.status(path); got != want {
			t.Errorf("%s is answered %d, want %d", path, got, want)
		}
	}
}

func TestReadingNeedsNoScriptAndPagesPrint(t *testing.T) {
	t.Parallel()
	b := newHouse(t).tab(light)
	b.withoutScript()
	b.signIn("marek")
	b.goTo(runPage)
	for _, part := range []string{"Still open", "approved = executed", "hash chain verified"} {
		if !strings.Contains(strings.ToLower(b.text("main")), strings.ToLower(part)) {
			t.Errorf("without script the page lacks %q", part)
		}
	}
	if pdf := b.pdf(); !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 20_000 {
		t.Errorf("the page prints as %d bytes", len(pdf))
	}
}

func TestEverythingCanBeReachedByKeyboard(t *testing.T) {
	t.Parallel()
	b := newHouse(t).tab(light)
	b.signIn("marek")
	b.goTo("/signoffs/" + reporttest.Open)
	b.do(chromedp.KeyEvent(kb.Tab))
	var first string
	b.ask(`document.activeElement.className`, &first)
	if first != "skip" {
		t.Errorf("the first stop is %q, want the link to the content", first)
	}
	var seen []string
	for range 60 {
		var at string
		b.ask(`(e => e.id || e.textContent.trim().slice(0, 30))(document.activeElement)`, &at)
		seen = append(seen, at)
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	for _, want := range []string{"code", "note", "reason", "Approve 1 call"} {
		if !slices.Contains(seen, want) {
			t.Errorf("the keyboard does not reach %q: %q", want, seen)
		}
	}
}

func TestAPageOfAThousandStepsIsUsableAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	manySteps(t, h.db, 1000)
	b := h.tab(light)
	b.signIn("marek")
	begun := time.Now()
	b.goTo(runPage)
	b.do(chromedp.WaitVisible("#h-steps", chromedp.ByQuery))
	took := time.Since(begun)
	t.Logf("shown after %s", took.Round(time.Millisecond))
	if limit := 5 * time.Second; took > limit {
		t.Errorf("the page is there after %s, want %s at most", took, limit)
	}
	var steps int
	b.ask(`document.querySelectorAll("ol.steps > li").length`, &steps)
	if steps < 1000 {
		t.Errorf("%s", fmt.Sprint(steps, " steps are on the page"))
	}
}
