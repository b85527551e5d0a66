package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// answer is what a door of HTTP said.
type answer struct {
	status int
	body   string
}

// code is the refusal code of a JSON problem.
func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &p) // what is no problem has no code
	return p.Code
}

// browser is a client of somebody's own.
func browser() *http.Client {
	jar, _ := cookiejar.New(nil) // fails never without options
	return &http.Client{Timeout: 30 * time.Second, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func send(by *http.Client, req *http.Request) (answer, error) {
	res, err := by.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	return answer{res.StatusCode, string(body)}, err
}

// api sends JSON with the personal token of somebody; an empty person sends none.
func (h *house) api(ctx context.Context, person, method, path string, body any) (answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token, ok := h.tokens[person]; ok {
		req.Header.Set("Authorization", "Bearer "+token)
	} else if person != "" {
		req.Header.Set("Authorization", "Bearer "+person)
	}
	return send(browser(), req)
}

func (h *house) read(ctx context.Context, path string, into any) error {
	a, err := h.api(ctx, "lee", http.MethodGet, path, nil)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s was answered %d: %s", path, a.status, a.body)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(a.body), into)
}

// decide posts a decision on the case's request.
func (c *kase) decide(ctx context.Context, person string, body map[string]string) (answer, error) {
	return c.api(ctx, person, http.MethodPost, "/v1/signoffs/"+c.view.Request+"/decisions", body)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// browse signs somebody in to the console and submits the form of the request's page, changed by change.
func (c *kase) browse(ctx context.Context, person string, change func(url.Values)) (answer, error) {
	by := browser()
	in, err := c.form(ctx, by, "/sign-in", url.Values{"token": {c.tokens[person]}, "next": {"/"}})
	if err != nil || in.status != http.StatusSeeOther {
		return in, fmt.Errorf("%s could not sign in: %d: %w", person, in.status, err)
	}
	at := "/signoffs/" + c.view.Request
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+at, nil)
	if err != nil {
		return answer{}, err
	}
	page, err := send(by, req)
	if err != nil {
		return page, err
	}
	csrf := ""
	if m := csrfField.FindStringSubmatch(page.body); m != nil {
		csrf = m[1]
	}
	form := url.Values{"csrf": {csrf}, "request": {c.view.Request}, "digest": {c.view.Digest}, "code": {c.view.Code}, "verb": {signoff.Approve}}
	if change != nil {
		change(form)
	} else if !strings.Contains(page.body, c.view.Code) {
		return page, fmt.Errorf("the page of %s does not show the check code %s", c.view.Request, c.view.Code)
	}
	return c.form(ctx, by, at+"/decisions", form)
}

func (h *house) form(ctx context.Context, by *http.Client, path string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(by, req)
}
