package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// awsStatement is as much of IAM's policy language as this world judges by; anything else is refused when it is put.
type awsStatement struct {
	Sid, Effect string
	Action      awsList
	Resource    awsList
	Condition   map[string]map[string]string
}

// awsList is one text or several.
type awsList []string

func (l *awsList) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*l = awsList{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// awsPolicy reads a document; what IAM or this world does not understand is an error.
func awsPolicy(document string) ([]awsStatement, error) {
	var d struct {
		Version   string
		Statement []awsStatement
	}
	dec := json.NewDecoder(strings.NewReader(document))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil || d.Version != "2012-10-17" || len(d.Statement) == 0 {
		return nil, fmt.Errorf("Syntax errors in policy.") // IAM's own words
	}
	for _, s := range d.Statement {
		bad := s.Effect != "Deny" && s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0
		for operator, keys := range s.Condition {
			for key, value := range keys {
				switch operator + " " + key {
				case "DateLessThan aws:TokenIssueTime":
					_, err := time.Parse(time.RFC3339, value)
					bad = bad || err != nil
				case "StringEquals bedrock:bearerTokenType":
				default:
					bad = true
				}
			}
		}
		if bad {
			return nil, fmt.Errorf("Syntax errors in policy.") // IAM's own words
		}
	}
	return d.Statement, nil
}

// holds reports whether the statement's conditions are met; a key that the request does not have meets none.
func (s awsStatement) holds(who awsCaller) bool {
	for operator, keys := range s.Condition {
		for _, value := range keys {
			switch operator {
			case "DateLessThan":
				limit, _ := time.Parse(time.RFC3339, value)
				if who.issued.IsZero() || !who.issued.Before(limit) {
					return false
				}
			case "StringEquals":
				if who.bearer != value {
					return false
				}
			}
		}
	}
	return true
}

func awsMatches(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return p == "*" || p == action || strings.HasSuffix(p, "*") && strings.HasPrefix(action, strings.TrimSuffix(p, "*"))
	})
}

// awsMay judges one action: an explicit denial first, then what is allowed.
func (w *World) awsMay(who awsCaller, action string) *awsRefusal {
	refused := func(why string) *awsRefusal {
		code := "AccessDeniedException"
		if who.service == "iam" || who.service == "sts" {
			code = "AccessDenied"
		}
		return &awsRefusal{http.StatusForbidden, code, fmt.Sprintf("User: %s is not authorized to perform: %s %s", who.arn(), action, why)}
	}
	for _, document := range who.identity().inline.felt(w.Now(), w.awsDelay()) {
		statements, _ := awsPolicy(document) // it was checked when it was put
		for _, s := range statements {
			if s.Effect == "Deny" && awsMatches(s.Action, action) && s.holds(who) {
				return refused("with an explicit deny in an identity-based policy")
			}
		}
	}
	if who.awsKey == w.aws.responder && action != "sts:GetCallerIdentity" {
		if w.aws.responders == nil || w.aws.responders[action] {
			return nil
		}
		return refused("because no identity-based policy allows the " + action + " action")
	}
	if action == "sts:GetCallerIdentity" || action == "bedrock:CallWithBearerToken" || awsMatches(who.identity().allowed, action) {
		return nil
	}
	return refused("because no identity-based policy allows the " + action + " action")
}
