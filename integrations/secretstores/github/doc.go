// Package github keeps a dependent's key in GitHub: secrets of Actions (of a repository, an environment or an organisation),
// Dependabot and Codespaces. A secret there is write-only, so nothing can be put back: every update is final. It also
// deploys: a workflow is dispatched and its newest run looked at, for dependents of any store. It may import the
// secretstores and keys ports, package incident and the GitHub client; another kind of secret is one more line in address.go.
package github
