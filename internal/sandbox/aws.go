package sandbox

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// AWS answers for IAM, STS, CloudTrail, Cost Explorer, Bedrock and its runtime, in every Region: which one is meant stands in
// the signature, as the real services demand. In the log they are iam, sts, cloudtrail, ce, bedrock-control and bedrock.
func (w *World) AWS() http.Handler {
	query := func(name string, h func(*call, awsCaller, url.Values) reply) http.Handler {
		return w.serve(name, awsQueryFault, func(c *call) reply { return w.awsQuery(name, c, h) })
	}
	services := map[string]http.Handler{
		"iam": query("iam", w.iam), "sts": query("sts", w.sts),
		"cloudtrail":      w.serve("cloudtrail", awsJSONFault, w.awsTrail),
		"ce":              w.serve("ce", awsJSONFault, w.awsCosts),
		"bedrock-control": w.serve("bedrock-control", awsJSONFault, w.awsControl),
		"bedrock":         w.serve("bedrock", awsJSONFault, w.awsRuntime),
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		service, _ := awsScope(r)
		if service == "bedrock" && !strings.HasPrefix(r.URL.Path, "/model/") {
			service = "bedrock-control"
		}
		h, known := services[service]
		if !known {
			h = services["bedrock-control"]
		}
		h.ServeHTTP(rw, r)
	})
}

// awsXML is an answer of the query protocol.
func awsXML(status int, body string) reply {
	return reply{status: status, body: []byte(body), header: http.Header{"Content-Type": {"text/xml"}, "X-Amzn-Requestid": {randomUUID()}}}
}

const awsNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"

func awsQueryError(r awsRefusal) reply {
	kind := "Sender"
	if r.status >= 500 {
		kind = "Receiver"
	}
	return awsXML(r.status, fmt.Sprintf(`<ErrorResponse xmlns=%q><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		awsNamespace, kind, r.code, html.EscapeString(r.message), randomUUID()))
}

// awsWord is AWS's code for a status that somebody else decided on.
func awsWord(status int) awsRefusal {
	words := map[int]string{
		400: "ValidationError", 401: "AuthFailure", 403: "AccessDenied", 404: "NoSuchEntity", 409: "ConcurrentModification", 413: "RequestEntityTooLarge",
		429: "Throttling", 500: "ServiceFailure", 502: "ServiceFailure", 503: "ServiceUnavailable",
	}
	word := words[status]
	if word == "" {
		word = "UnknownError"
	}
	return awsRefusal{status, word, http.StatusText(status)}
}

func awsQueryFault(status int) reply { return awsQueryError(awsWord(status)) }

func awsJSONFault(status int) reply {
	r := awsWord(status)
	r.code += "Exception"
	return awsJSONError(r)
}

// awsJSONError is an error of the JSON protocols.
func awsJSONError(r awsRefusal) reply {
	return reply{status: r.status, body: map[string]string{"__type": r.code, "message": r.message, "Message": r.message}, header: http.Header{
		"Content-Type": {"application/json"}, "X-Amzn-Errortype": {r.code}, "X-Amzn-Requestid": {randomUUID()},
	}}
}

func awsOK(body any) reply {
	return reply{status: http.StatusOK, body: body, header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {randomUUID()}}}
}

// awsQuery authenticates, authorises and obeys a call of the query protocol, and leaves an event in CloudTrail.
func (w *World) awsQuery(service string, c *call, h func(*call, awsCaller, url.Values) reply) reply {
	form, err := url.ParseQuery(string(c.body))
	action := form.Get("Action")
	c.entry.Path = "/" + action // all calls have one path; the action is what tells them apart
	if err != nil || c.r.Method != http.MethodPost || action == "" {
		return awsQueryError(awsRefusal{http.StatusBadRequest, "MissingAction", "Could not find operation"})
	}
	who, refused := w.awsAuthenticate(c)
	if refused == nil {
		refused = w.awsMay(who, service+":"+action)
	}
	if refused != nil {
		w.awsRecord(c, who, action, service, refused.code, map[string]any{"userName": form.Get("UserName")})
		if refused.code == "AccessDeniedException" {
			refused.code = "AccessDenied"
		}
		return awsQueryError(*refused)
	}
	answer := h(c, who, form)
	if c.entry.Actor == ActorAttacker {
		c.entry.Effect, c.entry.Key = EffectObserve, who.ID // an intruder's changes are no part of the response that is measured
	}
	word := ""
	if answer.status >= 400 {
		word = "NoSuchEntityException"
	}
	w.awsRecord(c, who, action, service, word, map[string]any{"userName": form.Get("UserName")})
	return answer
}

// awsResult wraps what an action gives back.
func awsResult(action, inner string) reply {
	if inner != "" {
		inner = "<" + action + "Result>" + inner + "</" + action + "Result>"
	}
	return awsXML(http.StatusOK, fmt.Sprintf(`<%sResponse xmlns=%q>%s<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>`,
		action, awsNamespace, inner, randomUUID(), action))
}

// el is one element; empty values are left out, as IAM leaves them.
func el(name, value string) string {
	if value == "" {
		return ""
	}
	return "<" + name + ">" + html.EscapeString(value) + "</" + name + ">"
}

// members is a list.
func members(name string, items []string) string {
	var b strings.Builder
	for _, i := range items {
		b.WriteString("<member>" + i + "</member>")
	}
	return "<" + name + ">" + b.String() + "</" + name + "><IsTruncated>false</IsTruncated>"
}

// sts tells callers who they are and whose a key is.
func (w *World) sts(c *call, who awsCaller, form url.Values) reply {
	c.entry.Effect = EffectObserve
	switch form.Get("Action") {
	case "GetCallerIdentity":
		return awsResult("GetCallerIdentity", el("Arn", who.arn())+el("UserId", "AIDA"+strings.ToUpper(who.identity().name))+el("Account", AWSAccountID))
	case "GetAccessKeyInfo":
		account := "999999999999"
		if w.aws.keys[form.Get("AccessKeyId")] != nil {
			account = AWSAccountID
		}
		return awsResult("GetAccessKeyInfo", el("Account", account))
	}
	return awsQueryError(awsRefusal{http.StatusBadRequest, "InvalidAction", "Could not find operation " + form.Get("Action")})
}

// awsJSON decodes a call of the JSON protocols after it was authenticated and authorised.
func (w *World) awsJSON(c *call, action string, into any) (awsCaller, *reply) {
	who, refused := w.awsAuthenticate(c)
	if refused == nil {
		refused = w.awsMay(who, action)
	}
	if refused == nil && into != nil && json.Unmarshal(c.body, into) != nil {
		refused = &awsRefusal{http.StatusBadRequest, "SerializationException", "The request could not be read."}
	}
	if refused != nil {
		if refused.code == "InvalidClientTokenId" {
			refused.code = "UnrecognizedClientException"
		}
		answer := awsJSONError(*refused)
		return who, &answer
	}
	return who, nil
}
