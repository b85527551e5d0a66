package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func awsNone(what, name string) reply {
	return awsQueryError(awsRefusal{http.StatusNotFound, "NoSuchEntity", "The " + what + " with name " + name + " cannot be found."})
}

func awsLimit(message string) reply {
	return awsQueryError(awsRefusal{http.StatusConflict, "LimitExceeded", message})
}

// iam obeys one action. Without a UserName it is the caller's own user that is meant: a trap of the real service.
func (w *World) iam(c *call, who awsCaller, form url.Values) reply {
	action := form.Get("Action")
	if strings.HasSuffix(action, "RolePolicy") {
		r := w.awsRoleLocked(form.Get("RoleName"))
		if r == nil {
			return awsNone("role", form.Get("RoleName"))
		}
		return w.iamPolicy(c, &r.awsIdentity, form, "Role")
	}
	switch action {
	case "ListUsers":
		return w.iamUsers(c)
	case "CreateUser":
		return w.iamCreateUser(c, form)
	case "GetAccessKeyLastUsed":
		return w.iamLastUsed(c, form)
	case "ListServiceSpecificCredentials":
		if form.Get("AllUsers") == "true" {
			return w.iamAPIKeys(c, w.aws.users, form)
		}
	}
	name := form.Get("UserName")
	if name == "" && who.user != nil {
		name = who.user.name
	}
	u := w.awsUserLocked(name)
	if u == nil {
		return awsNone("user", name)
	}
	switch action {
	case "ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey":
		return w.iamAccessKeys(c, u, form)
	case "ListServiceSpecificCredentials":
		return w.iamAPIKeys(c, []*awsUser{u}, form)
	case "CreateServiceSpecificCredential", "UpdateServiceSpecificCredential", "DeleteServiceSpecificCredential":
		return w.iamAPIKey(c, u, form)
	case "PutUserPolicy", "GetUserPolicy", "DeleteUserPolicy":
		return w.iamPolicy(c, &u.awsIdentity, form, "User")
	}
	return w.iamUser(c, u, form)
}

func (w *World) iamUsers(c *call) reply {
	c.entry.Effect = EffectObserve
	var items []string
	for _, u := range w.aws.users {
		items = append(items, el("UserName", u.name)+el("UserId", "AIDA"+randomText(upperAlphabet, 16))+el("Path", "/")+
			el("Arn", "arn:aws:iam::"+AWSAccountID+":user/"+u.name)+el("CreateDate", stamp(u.created)))
	}
	return awsResult("ListUsers", members("Users", items))
}

func (w *World) iamCreateUser(c *call, form url.Values) reply {
	name := form.Get("UserName")
	if name == "" || w.awsUserLocked(name) != nil {
		return awsQueryError(awsRefusal{http.StatusConflict, "EntityAlreadyExists", "User with name " + name + " already exists."})
	}
	c.entry.Effect = EffectUndoable
	w.awsUserOrNew(name)
	return awsResult("CreateUser", "<User>"+el("UserName", name)+el("Path", "/")+"</User>")
}

func (w *World) iamLastUsed(c *call, form url.Values) reply {
	k := w.aws.keys[form.Get("AccessKeyId")]
	if k == nil || k.kind != awsAccessKey || k.deleted.now {
		return awsNone("Access Key", form.Get("AccessKeyId"))
	}
	c.entry.Effect, c.entry.Key = EffectObserve, k.ID
	last := el("ServiceName", "N/A") + el("Region", "N/A")
	if !k.lastUsed.IsZero() {
		last = el("LastUsedDate", stamp(k.lastUsed)) + el("ServiceName", k.lastAt[0]) + el("Region", k.lastAt[1])
	}
	return awsResult("GetAccessKeyLastUsed", el("UserName", k.user.name)+"<AccessKeyLastUsed>"+last+"</AccessKeyLastUsed>")
}

// own finds one of a user's credentials.
func own(list []*awsKey, id string) *awsKey {
	i := slices.IndexFunc(list, func(k *awsKey) bool { return k.ID == id && !k.deleted.now })
	if i < 0 {
		return nil
	}
	return list[i]
}

func living(list []*awsKey) []*awsKey {
	return slices.DeleteFunc(slices.Clone(list), func(k *awsKey) bool { return k.deleted.now })
}

func (w *World) iamAccessKeys(c *call, u *awsUser, form url.Values) reply {
	action := form.Get("Action")
	switch action {
	case "ListAccessKeys":
		c.entry.Effect = EffectObserve
		var items []string
		for _, k := range living(u.keys) {
			items = append(items, el("UserName", u.name)+el("AccessKeyId", k.ID)+el("Status", k.status.now)+el("CreateDate", stamp(k.createdAt)))
		}
		return awsResult(action, members("AccessKeyMetadata", items))
	case "CreateAccessKey":
		if len(living(u.keys)) >= 2 {
			return awsLimit("Cannot exceed quota for AccessKeysPerUser: 2")
		}
		k := w.addAccessKeyLocked(u)
		c.entry.Effect, c.entry.Key = EffectUndoable, k.ID
		return awsResult(action, "<AccessKey>"+el("UserName", u.name)+el("AccessKeyId", k.ID)+el("Status", "Active")+el("SecretAccessKey", k.secret)+el("CreateDate", stamp(k.createdAt))+"</AccessKey>")
	}
	k := own(u.keys, form.Get("AccessKeyId"))
	if k == nil {
		return awsNone("Access Key", form.Get("AccessKeyId"))
	}
	return w.iamChange(c, action, k, form)
}

// iamChange sets a status or deletes, for both kinds of key.
func (w *World) iamChange(c *call, action string, k *awsKey, form url.Values) reply {
	c.entry.Key = k.ID
	if strings.HasPrefix(action, "Delete") {
		c.entry.Effect = EffectFinal
		k.deleted.set(true, w.Now(), w.awsDelay())
		k.deletedAt = w.Now()
		return awsResult(action, "")
	}
	to := form.Get("Status")
	if to != "Active" && to != "Inactive" {
		return awsQueryError(awsRefusal{http.StatusBadRequest, "ValidationError", "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]"})
	}
	c.entry.Effect = EffectUndoable
	k.status.set(to, w.Now(), w.awsDelay())
	return awsResult(action, "")
}

func (w *World) iamAPIKeys(c *call, users []*awsUser, form url.Values) reply {
	c.entry.Effect = EffectObserve
	var items []string
	for _, u := range users {
		for _, k := range living(u.api) {
			items = append(items, el("UserName", u.name)+el("Status", k.status.now)+el("ServiceName", awsBedrockUsers)+
				el("ServiceCredentialAlias", k.alias)+el("ServiceSpecificCredentialId", k.ID)+el("CreateDate", stamp(k.createdAt)))
		}
	}
	if s := form.Get("ServiceName"); s != "" && s != awsBedrockUsers {
		items = nil
	}
	return awsResult("ListServiceSpecificCredentials", members("ServiceSpecificCredentials", items))
}

func (w *World) iamAPIKey(c *call, u *awsUser, form url.Values) reply {
	action := form.Get("Action")
	if action == "CreateServiceSpecificCredential" {
		if form.Get("ServiceName") != awsBedrockUsers {
			return awsQueryError(awsRefusal{http.StatusNotFound, "NotSupportedService", "The service is not supported."})
		}
		if len(living(u.api)) >= 2 {
			return awsLimit("Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2")
		}
		k := w.addAPIKeyLocked(u)
		c.entry.Effect, c.entry.Key = EffectUndoable, k.ID
		return awsResult(action, "<ServiceSpecificCredential>"+el("UserName", u.name)+el("Status", "Active")+el("ServiceName", awsBedrockUsers)+
			el("ServiceCredentialAlias", k.alias)+el("ServiceCredentialSecret", k.Secret())+el("ServiceSpecificCredentialId", k.ID)+
			el("CreateDate", stamp(k.createdAt))+"</ServiceSpecificCredential>")
	}
	k := own(u.api, form.Get("ServiceSpecificCredentialId"))
	if k == nil {
		return awsNone("Service Specific Credential", form.Get("ServiceSpecificCredentialId"))
	}
	return w.iamChange(c, action, k, form)
}
