package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func main() {
	out := flag.String("out", "docs", "folder for the pictures")
	browser := flag.String("browser", "chromium", "a Chromium")
	only := flag.String("only", "", "draw only scenes whose name holds this")
	page := flag.String("report", "", "draw this HTML report of a drill in place of the scenes")
	drill := flag.String("drill", "", "draw the console in place of the scenes, from a drill of this tourniquet")
	flag.Parse()
	ctx, err := context.Background(), error(nil)
	switch {
	case *page != "":
		err = drawReport(ctx, *page, *out, *browser)
	case *drill != "":
		err = drawConsole(ctx, *drill, *out, *browser)
	default:
		err = draw(ctx, *out, *browser, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// look is one way to look at a scene.
type look struct {
	name          string
	width, height int
	dark          bool
}

func draw(ctx context.Context, out, browser, only string) error {
	var faults []error
	for _, sc := range scenes() {
		if !strings.Contains(sc.name, only) {
			continue
		}
		st, err := newStage()
		if err != nil {
			return err
		}
		if err := sc.play(ctx, st); err != nil {
			faults = append(faults, fmt.Errorf("scene %q: %w", sc.name, err))
		} else {
			st.chat.Wait()
			for _, l := range sc.looks {
				path := filepath.Join(out, "slack-"+sc.name+l.name+".png")
				faults = append(faults, shoot(ctx, browser, st.url+"/?still&as="+sc.as, path, l))
			}
		}
		st.close()
	}
	return errors.Join(faults...)
}

// drawReport draws the report of a drill, as `tourniquet drill --report FILE` writes it.
func drawReport(ctx context.Context, page, out, browser string) error {
	abs, err := filepath.Abs(page)
	if err != nil {
		return err
	}
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String()
	return shoot(ctx, browser, address, filepath.Join(out, "report-drill.png"), look{"", 1100, 2360, false})
}

// shoot has the browser draw one page.
func shoot(ctx context.Context, browser, address, path string, l look) error {
	profile, err := os.MkdirTemp("", "pictures-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(profile) }()
	scheme := "1"
	if l.dark {
		scheme = "0"
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
		"--user-data-dir="+profile, "--blink-settings=preferredColorScheme="+scheme, fmt.Sprintf("--window-size=%d,%d", l.width, l.height),
		"--virtual-time-budget=4000", "--screenshot="+abs, address)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, said)
	}
	return nil
}

// stage is a workspace with the product's client and door connected to it.
type stage struct {
	slack   *sandbox.Slack
	chat    *slack.Chat
	desk    *desk
	url     string
	channel string
	servers []*http.Server
}

func newStage() (*stage, error) {
	st := &stage{slack: sandbox.NewWorld(sandbox.Options{}).Slack(), desk: newDesk()}
	for _, p := range []sandbox.SlackPerson{
		{ID: sandbox.UserAna, Name: "Ana Reyes", Title: "security, on call"}, {ID: sandbox.UserBo, Name: "Bo Lindqvist", Title: "security"},
		{ID: sandbox.UserKim, Name: "Kim Okafor", Title: "owns the key"}, {ID: sandbox.UserLee, Name: "Lee Marchetti", Title: "security lead"},
	} {
		st.slack.AddPerson(p)
	}
	url, err := st.listen(st.slack.Handler())
	if err != nil {
		return nil, err
	}
	c := st.slack.Credentials()
	st.url, st.channel = url, c.Channel
	st.chat = slack.New(slack.Config{Token: c.Token, SigningSecret: c.SigningSecret, BaseURL: url + "/api/", Channel: c.Channel, Teams: []string{c.Team}, Apps: []string{c.App}})
	door, err := st.listen(st.chat.Handler(st.desk, nil))
	if err != nil {
		return nil, err
	}
	st.slack.Deliver(door+"/interactions", door+"/commands")
	return st, nil
}

func (st *stage) listen(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no free port: %w", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	st.servers = append(st.servers, s)
	go func() { _ = s.Serve(l) }() // ends with close
	return "http://" + l.Addr().String(), nil
}

func (st *stage) close() {
	for _, s := range st.servers {
		_ = s.Close() // nothing of a picture is worth waiting for
	}
}
