// Package people knows who may decide: persons of the configuration, groups that are lists of persons or Slack user
// groups, and how fresh that knowledge is. A person is one human, mapped by Slack user id and never by mail address or
// display name. It imports the chat port and incident.
package people
