// Package github tracks incidents as GitHub issues and reads and resolves GitHub's own secret-scanning alerts. All
// text is hostile and is shown in a code block: no markup, no mentions. It may import the tickets and keys ports and
// the GitHub client; a further call is one more method in the file of its noun (issue, alert).
package github
