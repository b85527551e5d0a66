package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	keysPath  = regexp.MustCompile(`^/v2/projects/([^/]+)/locations/global/keys$`)
	keyPath   = regexp.MustCompile(`^/v2/projects/([^/]+)/locations/global/keys/([^/:]+)(/keyString|:undelete)?$`)
	keyIDForm = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// googleKeys is the API Keys API v2.
func (w *World) googleKeys(c *call) reply {
	path := c.r.URL.Path
	if path == "/v2/keys:lookupKey" && c.r.Method == http.MethodGet {
		return w.lookupKey(c)
	}
	if op, found := strings.CutPrefix(path, "/v2/"); found && strings.HasPrefix(op, "operations/") && c.r.Method == http.MethodGet {
		return w.operation(c, op)
	}
	if m := keysPath.FindStringSubmatch(path); m != nil {
		p, known := w.google.projects[m[1]]
		if !known {
			return googleError(http.StatusForbidden, "Permission 'apikeys.keys.list' denied on resource or it may not exist.", "AUTH_PERMISSION_DENIED")
		}
		switch c.r.Method {
		case http.MethodGet:
			return w.listKeys(c, p)
		case http.MethodPost:
			return w.createKey(c, p)
		}
	}
	m := keyPath.FindStringSubmatch(path)
	if m == nil {
		return googleError(http.StatusNotFound, "Method not found.", "")
	}
	k := w.google.keys[m[2]]
	if p := w.google.projects[m[1]]; k == nil || p == nil || k.project != p || w.purged(k) {
		return googleError(http.StatusNotFound, "Requested entity was not found.", "")
	}
	c.entry.Key = k.ID
	return w.oneKey(c, k, m[3])
}

func (w *World) oneKey(c *call, k *googleKey, verb string) reply {
	switch c.r.Method + verb {
	case http.MethodGet:
		c.entry.Effect = EffectObserve
		return ok(k.view())
	case http.MethodGet + "/keyString":
		c.entry.Effect = EffectObserve
		w.auditKey(k, "GetKeyString", "", true, true)
		return ok(map[string]any{"keyString": k.secret})
	case http.MethodPatch:
		return w.patchKey(c, k)
	case http.MethodDelete:
		return w.deleteKey(c, k)
	case http.MethodPost + ":undelete":
		return w.undeleteKey(c, k)
	}
	return googleError(http.StatusNotFound, "Method not found.", "")
}

// purged reports whether the key was deleted so long ago that Google has forgotten it.
func (w *World) purged(k *googleKey) bool {
	return !k.deletedAt.IsZero() && w.Now().Sub(k.deletedAt) > 30*24*time.Hour
}

func (w *World) lookupKey(c *call) reply {
	if refused := knownQuery(c.r.URL.Query(), "keyString"); refused != nil {
		return *refused
	}
	known, found := w.values[c.r.URL.Query().Get("keyString")]
	if !found || known.Provider != "gemini" {
		return googleError(http.StatusForbidden, "Permission 'apikeys.keys.lookup' denied on resource or it may not exist.", "AUTH_PERMISSION_DENIED")
	}
	k := w.google.keys[known.ID]
	c.entry.Key, c.entry.Effect = k.ID, EffectObserve
	return ok(map[string]any{"parent": k.parent(), "name": k.resource()})
}

func (w *World) operation(c *call, name string) reply {
	op, known := w.google.operations[name]
	if !known {
		return googleError(http.StatusNotFound, "Operation not found.", "")
	}
	c.entry.Effect = EffectObserve
	return ok(op.view())
}

func (w *World) listKeys(c *call, p *googleProject) reply {
	query := c.r.URL.Query()
	if refused := knownQuery(query, "pageSize", "pageToken", "showDeleted"); refused != nil {
		return *refused
	}
	var keys []*googleKey
	for _, k := range w.google.keys {
		if k.project == p && !w.purged(k) && (k.deletedAt.IsZero() || query.Get("showDeleted") == "true") {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b *googleKey) int { return strings.Compare(a.ID, b.ID) })
	from, to, next := page(len(keys), query.Get("pageSize"), query.Get("pageToken"), 300)
	if from < 0 {
		return googleError(http.StatusBadRequest, "The page token is not valid.", "")
	}
	views := []any{}
	for _, k := range keys[from:to] {
		views = append(views, k.view())
	}
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"keys": views, "nextPageToken": next})
}

// keyBody is a Key as a client may send it; output-only fields are accepted and ignored.
type keyBody struct {
	Name         string            `json:"name"`
	UID          string            `json:"uid"`
	DisplayName  string            `json:"displayName"`
	Etag         string            `json:"etag"`
	CreateTime   string            `json:"createTime"`
	UpdateTime   string            `json:"updateTime"`
	DeleteTime   string            `json:"deleteTime"`
	KeyString    string            `json:"keyString"`
	Account      string            `json:"serviceAccountEmail"`
	Annotations  map[string]string `json:"annotations"`
	Restrictions *restrictions     `json:"restrictions"`
}

// readKeyBody decodes and checks what create and patch have in common.
func (w *World) readKeyBody(c *call) (keyBody, *reply) {
	var body keyBody
	if refused := decodeGoogle(c.body, &body); refused != nil {
		return body, refused
	}
	refuse := func(message string) (keyBody, *reply) {
		r := googleError(http.StatusBadRequest, message, "")
		return body, &r
	}
	if len([]rune(body.DisplayName)) > 63 {
		return refuse("The display name must be at most 63 characters.")
	}
	if r := body.Restrictions; r != nil {
		clients := 0
		for _, set := range []bool{r.Server != nil, r.Browser != nil, r.Android != nil, r.IOS != nil} {
			if set {
				clients++
			}
		}
		if clients > 1 {
			return refuse("Invalid value at 'key.restrictions' (oneof), oneof field 'client_restrictions' is already set.")
		}
		for _, target := range r.APITargets {
			if !strings.HasSuffix(target.Service, ".googleapis.com") {
				return refuse("The API target is not a known service.")
			}
		}
	}
	return body, nil
}

func (w *World) createKey(c *call, p *googleProject) reply {
	query := c.r.URL.Query()
	if refused := knownQuery(query, "keyId"); refused != nil {
		return *refused
	}
	body, refused := w.readKeyBody(c)
	if refused != nil {
		return *refused
	}
	id := query.Get("keyId")
	if id != "" && !keyIDForm.MatchString(id) {
		return googleError(http.StatusBadRequest, "The key id is not valid.", "")
	}
	if _, taken := w.google.keys[id]; taken {
		return googleErrorStatus(http.StatusConflict, "ALREADY_EXISTS", "The key already exists.", "")
	}
	k := w.addGoogleKeyLocked(p, body.DisplayName, body.Restrictions, body.Annotations, id)
	c.entry.Key, c.entry.Effect = k.ID, EffectUndoable
	return w.began(k, "CreateKey", func() any { return typed(k.view()) })
}

func (w *World) patchKey(c *call, k *googleKey) reply {
	query := c.r.URL.Query()
	if refused := knownQuery(query, "updateMask", "checkExistingUsage"); refused != nil {
		return *refused
	}
	body, refused := w.readKeyBody(c)
	if refused != nil {
		return *refused
	}
	mask := strings.FieldsFunc(query.Get("updateMask"), func(r rune) bool { return r == ',' })
	for _, field := range mask {
		if !slices.Contains([]string{"displayName", "display_name", "restrictions", "annotations", "*"}, field) {
			return googleError(http.StatusBadRequest, "The update mask names a field that cannot be updated: "+field+".", "")
		}
	}
	if refused := w.mayChange(k, body.Etag, query.Get("checkExistingUsage")); refused != nil {
		return *refused
	}
	has := func(names ...string) bool {
		return len(mask) == 0 || slices.Contains(mask, "*") || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(mask, n) })
	}
	c.entry.Effect = EffectUndoable
	return w.began(k, "UpdateKey", func() any {
		if has("displayName", "display_name") {
			k.Name = body.DisplayName
		}
		if has("restrictions") {
			k.restrictions = body.Restrictions
		}
		if has("annotations") {
			k.annotations = body.Annotations
		}
		k.touch(w.Now())
		return typed(k.view())
	})
}

func (w *World) deleteKey(c *call, k *googleKey) reply {
	query := c.r.URL.Query()
	if refused := knownQuery(query, "etag", "checkExistingUsage"); refused != nil {
		return *refused
	}
	if !k.deletedAt.IsZero() {
		return googleError(http.StatusNotFound, "Requested entity was not found.", "")
	}
	if refused := w.mayChange(k, query.Get("etag"), query.Get("checkExistingUsage")); refused != nil {
		return *refused
	}
	c.entry.Effect = EffectFinal
	k.deletedAt = w.Now()
	k.touch(w.Now())
	return w.began(k, "DeleteKey", func() any { return typed(k.view()) })
}

func (w *World) undeleteKey(c *call, k *googleKey) reply {
	if refused := decodeGoogle(c.body, &struct{}{}); refused != nil {
		return *refused
	}
	if k.deletedAt.IsZero() {
		return preconditionFailed("The key is not deleted.")
	}
	c.entry.Effect = EffectFinal
	return w.began(k, "UndeleteKey", func() any {
		k.deletedAt = time.Time{}
		k.touch(w.Now())
		return typed(k.view())
	})
}

// mayChange refuses changes to deleted keys, changes on a stale etag, and what checkExistingUsage=CHECK refuses.
func (w *World) mayChange(k *googleKey, etag, check string) *reply {
	var refused reply
	switch {
	case !k.deletedAt.IsZero():
		refused = preconditionFailed("The key is deleted.")
	case etag != "" && etag != k.etag():
		refused = googleError(http.StatusConflict, "The etag does not match the current version of the key.", "")
	case check == "CHECK" && slices.ContainsFunc(w.google.calls, func(u googleCall) bool { return u.uid == k.UID && w.Now().Sub(u.at) < 7*24*time.Hour }):
		refused = preconditionFailed("The key was used in the last 7 days.")
	default:
		return nil
	}
	return &refused
}

// began starts the operation and writes the two audit entries that Google writes for one.
func (w *World) began(k *googleKey, method string, apply func() any) reply {
	op := w.startLocked(apply)
	w.auditKey(k, method, op.name, true, false)
	w.auditKey(k, method, op.name, false, true)
	return ok(op.view())
}

func (w *World) auditKey(k *googleKey, method, operation string, first, last bool) {
	w.auditLocked(auditEntry{
		project: k.project, method: method, principal: "tourniquet@" + k.project.id + ".iam.gserviceaccount.com",
		resource: k.resource(), operation: operation, first: first, last: last,
	})
}

func typed(view map[string]any) map[string]any {
	view["@type"] = "type.googleapis.com/google.api.apikeys.v2.Key"
	return view
}
