package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// page is one page of a list; Next is the value of before for the page after it.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

const (
	completeWithin = 2 * time.Second
	mostPages      = 2000 // bounds what is read of a list: a server that goes on for ever fills no memory here
)

// pages reads a list page after page until its end, or until use has seen enough.
func pages[T any](ctx context.Context, r *remote, path string, query url.Values, use func([]T) (enough bool)) error {
	query = maps.Clone(query)
	for range mostPages {
		var p page[T]
		if _, err := r.get(ctx, path+"?"+query.Encode(), &p); err != nil {
			return err
		}
		if use(p.Items) || p.Next == "" {
			return nil
		}
		query.Set("before", p.Next)
	}
	return fmt.Errorf("%s of %s has no end after %d pages; is the address right?", path, r.base, mostPages)
}

// whole reads every page of a list.
func whole[T any](ctx context.Context, r *remote, path string, query url.Values) ([]T, error) {
	out := []T{}
	err := pages(ctx, r, path, query, func(items []T) bool { out = append(out, items...); return false })
	return out, err
}

// openSignoffs completes with all that wait: the newest of them are on the last page.
func (sh *shell) openSignoffs() cobra.CompletionFunc {
	return sh.completed("/v1/signoffs", url.Values{"state": {signoff.StateOpen}}, mostPages)
}

// ids completes with the first page of a list, which has the newest.
func (sh *shell) ids(path string) cobra.CompletionFunc { return sh.completed(path, url.Values{}, 1) }

// completed completes the first argument with live ids; without a server there is nothing to offer, and of a list too long for
// the moment that a shell waits, what has come until then.
func (sh *shell) completed(path string, query url.Values, most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		r, err := sh.remote(cmd)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		type named struct {
			ID      string `json:"id"`
			Request string `json:"request"`
		}
		var out []string
		seen := 0
		_ = pages(ctx, r, path, query, func(items []named) bool { // a shell that completes has no place for an error
			for _, i := range items {
				out = append(out, i.ID+i.Request) // one of them is empty
			}
			seen++
			return seen == most
		})
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
