// Package people knows who may decide: persons of the configuration, groups that are lists of persons, Slack user groups
// or whoever is on call, and how fresh that knowledge is. A person is one human, mapped by the ids of Slack and PagerDuty and
// never by mail address or display name. It imports the ports of chat and paging, and incident.
package people
