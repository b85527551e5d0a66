package sandbox

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"time"
)

// The objects that GitHub puts into its answers, whole: clients are compared with its description of them.

// githubID is a number that stays the same for one name.
func githubID(name string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return int64(h.Sum32())
}

func githubNode(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("0:%s%d", kind, id)))
}

// githubUser is an account as others see it; kind is User, Bot or Organization.
func githubUser(base, login, kind string) map[string]any {
	id := githubID(login)
	at := base + "/users/" + login
	out := map[string]any{
		"login": login, "id": id, "node_id": githubNode(kind, id), "avatar_url": base + "/avatars/u/" + strconv.FormatInt(id, 10), "gravatar_id": "",
		"url": at, "html_url": base + "/" + login, "type": kind, "site_admin": false, "user_view_type": "public",
		"following_url": at + "/following{/other_user}", "gists_url": at + "/gists{/gist_id}", "starred_url": at + "/starred{/owner}{/repo}", "events_url": at + "/events{/privacy}",
	}
	for _, part := range []string{"followers", "subscriptions", "repos", "received_events"} {
		out[part+"_url"] = at + "/" + part
	}
	out["organizations_url"] = at + "/orgs"
	return out
}

// githubSelf is the account of the token: with what only it sees of itself.
func githubSelf(base string, now time.Time) map[string]any {
	out := githubUser(base, "tourniquet-bot", "User")
	maps.Copy(out, map[string]any{
		"bio": nil, "blog": "", "company": nil, "email": nil, "followers": 0, "following": 0, "hireable": nil, "location": nil, "name": "Tourniquet",
		"public_gists": 0, "public_repos": 0, "created_at": githubTime(now.AddDate(-1, 0, 0)), "updated_at": githubTime(now),
	})
	return out
}

// minimal is a repository as lists show it.
func (r *githubRepo) minimal(base string) map[string]any {
	id := githubID(r.owner + "/" + r.name)
	out := map[string]any{
		"id": id, "node_id": githubNode("Repository", id), "name": r.name, "full_name": r.owner + "/" + r.name, "private": false, "fork": false, "description": nil,
		"owner": githubUser(base, r.owner, "Organization"), "url": r.url(base, ""), "html_url": base + "/" + r.owner + "/" + r.name,
	}
	for name, path := range map[string]string{
		"archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}", "branches": "/branches{/branch}",
		"collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}", "commits": "/commits{/sha}", "compare": "/compare/{base}...{head}",
		"contents": "/contents/{+path}", "contributors": "/contributors", "deployments": "/deployments", "downloads": "/downloads", "events": "/events",
		"forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}", "git_tags": "/git/tags{/sha}", "hooks": "/hooks",
		"issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}", "issues": "/issues{/number}", "keys": "/keys{/key_id}",
		"labels": "/labels{/name}", "languages": "/languages", "merges": "/merges", "milestones": "/milestones{/number}",
		"notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}", "releases": "/releases{/id}", "stargazers": "/stargazers",
		"statuses": "/statuses/{sha}", "subscribers": "/subscribers", "subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
	} {
		out[name+"_url"] = r.url(base, "") + path
	}
	return out
}

// full is a repository as webhooks carry it.
func (r *githubRepo) full(base string, now time.Time) map[string]any {
	out, plain := r.minimal(base), base+"/"+r.owner+"/"+r.name
	maps.Copy(out, map[string]any{
		"clone_url": plain + ".git", "git_url": "git:" + plain[len("http:"):] + ".git", "ssh_url": "git@" + plain[len("http://"):] + ".git", "svn_url": plain, "mirror_url": nil,
		"default_branch": "main", "homepage": nil, "language": nil, "license": nil, "archived": false, "disabled": false, "size": 1,
		"has_downloads": true, "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false,
		"forks": 0, "forks_count": 0, "open_issues": len(r.issues), "open_issues_count": len(r.issues), "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
		"created_at": githubTime(now.AddDate(-1, 0, 0)), "updated_at": githubTime(now), "pushed_at": githubTime(now),
	})
	return out
}

// whole adds to an issue what GitHub shows with each.
func (r *githubRepo) whole(base string, n int, out map[string]any) map[string]any {
	i, at, id := r.issues[n-1], r.url(base, "/issues/%d", n), githubID(r.owner+"/"+r.name)+int64(n)
	var closed any
	if i.state == "closed" {
		closed = githubTime(i.updated)
	}
	maps.Copy(out, map[string]any{
		"id": id, "node_id": githubNode("Issue", id), "repository_url": r.url(base, ""), "labels_url": at + "/labels{/name}", "comments_url": at + "/comments",
		"events_url": at + "/events", "user": githubUser(base, "tourniquet-bot", "User"), "assignee": nil, "assignees": []any{}, "milestone": nil, "locked": false,
		"comments": len(i.comments), "created_at": githubTime(i.created), "updated_at": githubTime(i.updated), "closed_at": closed, "author_association": "MEMBER",
		"closed_by": nil,
	})
	return out
}

// comment is the one with this index below an issue.
func (r *githubRepo) comment(base string, n, index int) map[string]any {
	i, id := r.issues[n-1], githubID(r.owner+"/"+r.name)+int64(n)<<16+int64(index)
	return map[string]any{
		"id": id, "node_id": githubNode("IssueComment", id), "body": i.comments[index], "user": githubUser(base, "tourniquet-bot", "User"),
		"url": r.url(base, "/issues/comments/%d", id), "issue_url": r.url(base, "/issues/%d", n), "author_association": "MEMBER",
		"html_url": fmt.Sprintf("%s/%s/%s/issues/%d#issuecomment-%d", base, r.owner, r.name, n, id), "created_at": githubTime(i.updated), "updated_at": githubTime(i.updated),
	}
}

// runJSON is one run of a workflow.
func (r *githubRepo) runJSON(base, workflow string, run *githubRun, number int) map[string]any {
	at, flow, repo := r.url(base, "/actions/runs/%d", run.id), githubID(workflow), r.minimal(base)
	sha := fmt.Sprintf("%040x", run.id)
	var conclusion any
	if run.conclusion != "" {
		conclusion = run.conclusion
	}
	who := map[string]any{"name": "Tourniquet", "email": "tourniquet-bot@users.noreply.example"}
	return map[string]any{
		"id": run.id, "node_id": githubNode("WorkflowRun", run.id), "name": workflow, "display_title": workflow, "event": "workflow_dispatch", "head_branch": run.ref,
		"status": run.status, "conclusion": conclusion, "created_at": githubTime(run.created), "updated_at": githubTime(run.updated), "run_started_at": githubTime(run.created),
		"run_number": number, "run_attempt": 1, "path": ".github/workflows/" + workflow, "workflow_id": flow, "workflow_url": r.url(base, "/actions/workflows/%d", flow),
		"head_sha": sha, "head_commit": map[string]any{"id": sha, "tree_id": sha, "message": "deploy", "timestamp": githubTime(run.created), "author": who, "committer": who},
		"url": at, "html_url": fmt.Sprintf("%s/%s/%s/actions/runs/%d", base, r.owner, r.name, run.id), "jobs_url": at + "/jobs", "logs_url": at + "/logs",
		"check_suite_url": r.url(base, "/check-suites/%d", run.id), "cancel_url": at + "/cancel", "rerun_url": at + "/rerun", "artifacts_url": at + "/artifacts",
		"previous_attempt_url": nil, "pull_requests": []any{}, "repository": repo, "head_repository": repo, "actor": githubUser(base, "tourniquet-bot", "User"),
	}
}
