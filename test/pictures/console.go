package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// drawConsole sits at the terminal of a drill, decides what the drill asks, and draws the console as the drill fills it.
func drawConsole(ctx context.Context, tourniquet, out, browser string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	keep, err := os.MkdirTemp("", "pictures-drill-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(keep) }()
	t, err := newTerminal(ctx, tourniquet+" drill --keep "+keep)
	if err != nil {
		return err
	}
	defer t.close()
	console, err := t.until(`console +(http://[0-9.:]+)/`)
	if err != nil {
		return err
	}
	token, err := exec.CommandContext(ctx, tourniquet, "--config", filepath.Join(keep, "tourniquet.yaml"), "person", "token", "--for", "bo", "--issued-by", "lee").Output() //nolint:gosec // our own program
	if err != nil {
		return fmt.Errorf("no personal token was made: %w", err)
	}
	see, stop, err := signedIn(ctx, browser, console, strings.TrimSpace(string(token)))
	if err != nil {
		return err
	}
	defer stop()
	return t.decide(func(path, name string, l look) error {
		return see(console+path, filepath.Join(out, "console-"+name+l.name+".png"), l)
	})
}

// decide is a drill from its first question to its end, with pictures of what waits and of what was.
func (t *terminal) decide(draw func(path, name string, l look) error) error {
	if _, err := t.until(`type: ana (abuse|expected)`); err != nil {
		return err
	}
	t.types("ana abuse")
	var faults []error
	for at := 1; ; at++ {
		m, err := t.until(`SIGN-OFF (so-\S+)|run +http://[0-9.:]+(/runs/\S+)`)
		if err != nil {
			return err
		}
		if strings.HasPrefix(m, "/runs/") {
			faults = append(faults, draw(m, "run", look{"", 1280, 2560, false}), draw(m, "run", look{"-dark", 1280, 1500, true}), draw(m, "run", look{"-phone", 390, 2300, false}),
				draw("/playbooks/llmjacking", "playbook", look{"", 1280, 1500, false}))
			return errors.Join(faults...)
		}
		if at > 1 { // the last one: somebody has signed, the owner was refused, and whoever looks may fill the other seat
			t.types("kim approve")
			t.types("ana approve")
			if _, err := t.until(`1 of \d seats are filled`); err != nil {
				return err
			}
			faults = append(faults, draw("/signoffs/"+m, "signoff", look{"", 1280, 4000, false}), draw("/signoffs/"+m, "signoff", look{"-phone", 390, 4000, false}))
		} else { // the one before also needs whoever leads
			t.types("ana approve")
			t.types("lee approve")
		}
		t.types("bo approve")
	}
}

// terminal is one of its own for a command: the drill lets itself be decided only where somebody can type.
type terminal struct {
	cmd  *exec.Cmd
	in   *os.File
	read *bufio.Scanner
	said []string
}

func newTerminal(ctx context.Context, command string) (*terminal, error) {
	cmd := exec.CommandContext(ctx, "script", "-qefc", command, "/dev/null") //nolint:gosec // our own program
	keys, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdin = keys
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &terminal{cmd: cmd, in: in, read: bufio.NewScanner(said)}, nil
}

// types takes its time: what people do in one instant cannot be told apart in a picture.
func (t *terminal) types(line string) {
	time.Sleep(2 * time.Second)
	_, _ = t.in.WriteString(line + "\n") // a drill that is gone is noticed by until
}

// until reads up to a line that matches, and returns what its group holds.
func (t *terminal) until(pattern string) (string, error) {
	want := regexp.MustCompile(pattern)
	for t.read.Scan() {
		t.said = append(t.said, t.read.Text())
		if m := want.FindStringSubmatch(t.read.Text()); m != nil {
			return strings.Join(m[1:], ""), nil
		}
	}
	return "", fmt.Errorf("the drill ended without saying %q:\n%s", pattern, strings.Join(t.said, "\n"))
}

func (t *terminal) close() {
	t.types("")
	for t.read.Scan() { // it says goodbye, and its folder is free
	}
	_ = t.cmd.Wait()
	_ = t.in.Close()
}

// signedIn is a browser with a session of its own. The function it returns draws one page, down to a height.
func signedIn(ctx context.Context, browser, console, token string) (see func(address, path string, l look) error, stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	ctx, stopAll := chromedp.NewExecAllocator(ctx, options...)
	ctx, stopTab := chromedp.NewContext(ctx)
	stop = func() { stopTab(); stopAll() }
	err = chromedp.Run(ctx, chromedp.Navigate(console+"/sign-in"), chromedp.SendKeys("#token", token, chromedp.ByQuery), chromedp.Submit("#token", chromedp.ByQuery),
		chromedp.WaitVisible("nav[aria-label=Main]", chromedp.ByQuery))
	return func(address, path string, l look) error {
		scheme := "light"
		if l.dark {
			scheme = "dark"
		}
		var tall float64
		var shot []byte
		err := chromedp.Run(ctx, emulation.SetDeviceMetricsOverride(int64(l.width), 900, 1, l.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
			chromedp.Navigate(address), chromedp.WaitReady("#main", chromedp.ByQuery), chromedp.Evaluate(`document.documentElement.scrollHeight`, &tall),
			chromedp.ActionFunc(func(ctx context.Context) (err error) {
				clip := &page.Viewport{Width: float64(l.width), Height: min(tall, float64(l.height)), Scale: 1}
				shot, err = page.CaptureScreenshot().WithClip(clip).WithCaptureBeyondViewport(true).Do(ctx)
				return err
			}))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return os.WriteFile(path, shot, 0o644) //nolint:gosec // a picture for the docs
	}, stop, err
}
