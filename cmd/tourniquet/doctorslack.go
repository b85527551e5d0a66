package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// mostMetrics bounds what is read of a metrics page.
const mostMetrics = 8 << 20

// delivery asks the running serve, by its own figures, whether chat takes what people are asked.
func (e *examination) delivery(ctx context.Context, base string) {
	if e.s.Config.Slack == nil {
		return
	}
	waiting, trouble := 0.0, []string(nil)
	err := within(ctx, func(ctx context.Context) error {
		return eachMetric(ctx, base, func(name string, value float64) {
			switch call, outcome := slackCall(name); {
			case name == "tourniquet_signoffs_undelivered":
				waiting = value
			case outcome != "" && outcome != "ok" && value > 0:
				trouble = append(trouble, fmt.Sprintf("%s: %s %.0f times", call, outcome, value))
			}
		})
	})
	if err == nil && waiting > 0 {
		err = fmt.Errorf("%.0f sign-offs or questions are open that Slack has not taken", waiting)
	}
	if len(trouble) > 0 {
		e.note("slack so far", "a cause that lasts is named by the check slack", "since serve started: %s", strings.Join(trouble, "; "))
	}
	e.judge("slack deliveries", err, "mend what the check slack names; meanwhile decide in the console or with: tourniquet signoff list", "nothing waits to be delivered")
}

// slackCall reads the labels of a counter of calls.
func slackCall(name string) (call, outcome string) {
	labels, ok := strings.CutPrefix(name, `tourniquet_slack_calls_total{call="`)
	if !ok {
		return "", ""
	}
	call, rest, _ := strings.Cut(labels, `",outcome="`)
	return call, strings.TrimSuffix(rest, `"}`)
}

func eachMetric(ctx context.Context, base string, see func(name string, value float64)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/metrics", nil)
	if err != nil {
		return fmt.Errorf("%q is not an address", base)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return &unreachable{base, err}
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the figures of the running serve cannot be read: status %d", res.StatusCode)
	}
	lines := bufio.NewScanner(io.LimitReader(res.Body, mostMetrics))
	for lines.Scan() {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if at < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if v, err := strconv.ParseFloat(lines.Text()[at+1:], 64); err == nil {
			see(lines.Text()[:at], v)
		}
	}
	return lines.Err()
}
