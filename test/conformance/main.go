package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// drives are all clients, each with what makes it do everything.
func drives() map[string]func(context.Context, *tape) error {
	return map[string]func(context.Context, *tape) error{
		"anthropic": driveAnthropic, "azure_openai": driveAzure, "bedrock": driveBedrock, "gemini": driveGemini, "litellm": driveLiteLLM,
		"openai": driveOpenAI, "openrouter": driveOpenRouter, "aws secrets": driveAWSSecrets, "google secrets": driveGoogleSecrets,
		"vault": driveVault, "kubernetes": driveKubernetes, "github": driveGitHub, "slack": driveSlack, "pagerduty": drivePagerDuty, "webhook": driveWebhook,
	}
}

// full are the clients whose every call must be described.
var full = []string{"openai", "github", "gemini", "google secrets", "slack"}

func main() {
	folder := flag.String("contracts", filepath.Join("..", "shared", "contracts"), "folder of the official descriptions")
	page := flag.String("write", "", "write the tables as a page of docs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *folder, *page); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, folder, page string) error {
	known, there, err := descriptions(folder)
	if err != nil {
		return err
	}
	list, err := record(ctx)
	if err != nil {
		return err
	}
	t := judge(list, known)
	t.print(os.Stdout)
	fmt.Printf("\n%d calls, %d validated with %d answers, %d deviations\n", len(list), t.requests, t.answers, len(t.faults))
	if !there {
		fmt.Printf("There are no official descriptions at %s, so only what client libraries describe was compared.\n", folder)
	}
	err = t.verdict(there)
	if page != "" && there && err == nil {
		err = os.WriteFile(page, []byte(t.page()), 0o644) //nolint:gosec // a page of docs is for everybody
	}
	return err
}

// verdict says what is wrong; there tells whether the descriptions were there.
func (t *table) verdict(there bool) error {
	var wrong []error
	for _, f := range t.faults {
		wrong = append(wrong, errors.New(f))
	}
	if there && t.requests == 0 {
		wrong = append(wrong, errors.New("no call was validated"))
	}
	for _, u := range t.undescribed {
		client, call, _ := strings.Cut(u, ": ")
		if there && slices.Contains(full, client) {
			wrong = append(wrong, fmt.Errorf("%s makes a call that nobody describes: %s", client, call))
		}
	}
	return errors.Join(wrong...)
}

// record drives every client against the sandbox, all at once.
func record(ctx context.Context) ([]exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var mu sync.Mutex
	var wait sync.WaitGroup
	var list []exchange
	var faults []error
	for name, drive := range drives() {
		wait.Go(func() {
			t := &tape{client: name}
			err := drive(ctx, t)
			t.end()
			mu.Lock()
			defer mu.Unlock()
			list, faults = append(list, t.list...), append(faults, err)
		})
	}
	wait.Wait()
	slices.SortStableFunc(list, func(a, b exchange) int { return strings.Compare(a.client, b.client) })
	return list, errors.Join(faults...)
}

// descriptions are all that can be had; there is false without the folder.
func descriptions(folder string) (known []description, there bool, err error) {
	known = append(libraries(), azureShapes{}, loadAWS())
	if _, err := os.Stat(folder); err != nil {
		return known, false, nil //nolint:nilerr // without the folder the others are what there is
	}
	var official []description
	var faults []error
	add := func(d description, err error) {
		official, faults = append(official, d), append(faults, err)
	}
	for _, f := range []struct{ file, below, service string }{
		{"openai-admin.json", "/v1", "openai"}, {"github-rest.json", "", "github"}, {"openrouter.json", "/api/v1", "openrouter"},
		{"pagerduty-events-v2.json", "/v2", "pagerduty"},
	} {
		o, err := loadOpenAPI(filepath.Join(folder, f.file), f.file, f.below, f.service)
		if err == nil && f.service == "openai" {
			o.loose = brackets
		}
		add(o, err)
	}
	for service, file := range map[string]string{
		"apikeys": "apikeys-v2.json", "serviceusage": "serviceusage-v1.json", "monitoring": "monitoring-v3.json", "iam": "iam-v1.json",
		"secretmanager": "secretmanager-v1.json", "logging": "logging-v2.json",
	} {
		d, err := loadDiscovery(folder, file, service)
		add(d, err)
	}
	s, err := loadSlack(folder)
	add(s, err)
	h, err := loadOpenAPI(filepath.Join(folder, "github-webhooks.json"), "github-webhooks.json", "")
	add(hooks{h}, err)
	return append(official, known...), true, errors.Join(faults...)
}
