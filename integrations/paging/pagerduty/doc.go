// Package pagerduty wakes people through PagerDuty's Events API v2, and asks its REST API who is on call, with PagerDuty's
// own client. It may import the paging and keys ports and go-pagerduty; another kind of event is one more method.
package pagerduty
