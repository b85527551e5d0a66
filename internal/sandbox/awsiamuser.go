package sandbox

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// iamPolicy puts, shows and takes off inline policies of a user or a role.
func (w *World) iamPolicy(c *call, of *awsIdentity, form url.Values, kind string) reply {
	action, name := form.Get("Action"), form.Get("PolicyName")
	switch action {
	case "Put" + kind + "Policy":
		if _, err := awsPolicy(form.Get("PolicyDocument")); err != nil {
			return awsQueryError(awsRefusal{http.StatusBadRequest, "MalformedPolicyDocument", err.Error()})
		}
		c.entry.Effect = EffectUndoable
		next := maps.Clone(of.inline.now)
		if next == nil {
			next = map[string]string{}
		}
		next[name] = form.Get("PolicyDocument")
		of.inline.set(next, w.Now(), w.awsDelay())
		return awsResult(action, "")
	case "Get" + kind + "Policy":
		document, has := of.inline.now[name]
		if !has {
			return awsNone("policy", name)
		}
		c.entry.Effect = EffectObserve
		return awsResult(action, el(kind+"Name", of.name)+el("PolicyName", name)+el("PolicyDocument", url.QueryEscape(document)))
	case "Delete" + kind + "Policy":
		if _, has := of.inline.now[name]; !has {
			return awsNone("policy", name)
		}
		c.entry.Effect = EffectUndoable
		next := maps.Clone(of.inline.now)
		delete(next, name)
		of.inline.set(next, w.Now(), w.awsDelay())
		return awsResult(action, "")
	}
	return awsQueryError(awsRefusal{http.StatusBadRequest, "InvalidAction", "Could not find operation " + action})
}

// iamUser is what is left: looking at a user, marking it, and what intruders do to it.
func (w *World) iamUser(c *call, u *awsUser, form url.Values) reply {
	action := form.Get("Action")
	switch action {
	case "ListUserPolicies":
		c.entry.Effect = EffectObserve
		return awsResult(action, members("PolicyNames", slices.Sorted(maps.Keys(u.inline.now))))
	case "ListAttachedUserPolicies":
		c.entry.Effect = EffectObserve
		var items []string
		for _, name := range u.attached {
			items = append(items, el("PolicyName", name)+el("PolicyArn", "arn:aws:iam::aws:policy/"+name))
		}
		return awsResult(action, members("AttachedPolicies", items))
	case "GetLoginProfile":
		if !u.password {
			return awsNone("Login Profile for User", u.name)
		}
		c.entry.Effect = EffectObserve
		return awsResult(action, "<LoginProfile>"+el("UserName", u.name)+el("CreateDate", stamp(u.created))+"</LoginProfile>")
	case "CreateLoginProfile":
		u.password, c.entry.Effect = true, EffectUndoable
		return awsResult(action, "<LoginProfile>"+el("UserName", u.name)+el("CreateDate", stamp(w.Now()))+"</LoginProfile>")
	case "TagUser":
		for i := 1; form.Get("Tags.member."+strconv.Itoa(i)+".Key") != ""; i++ {
			value := form.Get("Tags.member." + strconv.Itoa(i) + ".Value")
			if len(value) > 256 {
				return awsQueryError(awsRefusal{http.StatusBadRequest, "ValidationError", "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 256"})
			}
			u.tags[form.Get("Tags.member."+strconv.Itoa(i)+".Key")] = value
		}
		c.entry.Effect = EffectObserve // a mark changes nothing that anybody is judged by
		return awsResult(action, "")
	case "ListUserTags":
		c.entry.Effect = EffectObserve
		var items []string
		for _, name := range slices.Sorted(maps.Keys(u.tags)) {
			items = append(items, el("Key", name)+el("Value", u.tags[name]))
		}
		return awsResult(action, members("Tags", items))
	}
	return awsQueryError(awsRefusal{http.StatusBadRequest, "InvalidAction", "Could not find operation " + action})
}
