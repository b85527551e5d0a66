package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

type inner struct {
	Key  int    `json:"key"`
	Name string `json:"name,omitempty"`
}

type thing struct {
	inner
	Key   string          `json:"key"`
	At    time.Time       `json:"at"`
	Raw   json.RawMessage `json:"raw,omitempty"`
	Parts []inner         `json:"parts"`
	Next  *thing          `json:"next,omitempty"`
}

type asked struct {
	ID    string    `path:"id"`
	Since time.Time `query:"since"`
	Loud  bool      `query:"loud"`
	Kind  string    `query:"kind" enum:"a,b"`
	Text  string    `json:"text"`
	N     int       `json:"n,omitempty"`
}

func endpoint() api.Endpoint {
	return api.JSON("POST", "/v1/things/{id}", "makeThing", "Make a thing", people.Act, http.StatusCreated, func(_ context.Context, _ api.Caller, in asked) (thing, error) {
		switch in.Text {
		case "missing":
			return thing{}, api.Fault(http.StatusNotFound, "not_found", "there is none")
		case "broken":
			return thing{}, io.ErrUnexpectedEOF
		}
		return thing{Key: in.ID + in.Text + in.Kind, At: in.Since}, nil
	})
}

func TestWhatAHandlerTakesIsBoundAndWhatItDoesNotKnowIsRefused(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	e := endpoint()
	mux.HandleFunc(e.Method+" "+e.Path, func(w http.ResponseWriter, r *http.Request) { e.Serve(w, r, api.Caller{}) })
	for _, c := range []struct {
		path, kind, body string
		status           int
		says             string
	}{
		{"/v1/things/t1?kind=b&since=2026-11-23T09:14:03Z", "application/json", `{"text":"x"}`, 201, `"key":"t1xb","at":"2026-11-23T09:14:03Z"`},
		{"/v1/things/t1?loud=perhaps", "application/json", `{"text":"x"}`, 422, "true or false"},
		{"/v1/things/t1?since=yesterday", "application/json", `{"text":"x"}`, 422, "a time such as"},
		{"/v1/things/t1?kind=c", "application/json", `{"text":"x"}`, 422, "one of a,b"},
		{"/v1/things/t1?knid=a", "application/json", `{"text":"x"}`, 422, `no parameter \"knid\"`},
		{"/v1/things/t1?%zz", "application/json", `{"text":"x"}`, 422, "not well-formed"},
		{"/v1/things/t1", "application/json", `{"text":"x","more":1}`, 422, "more"},
		{"/v1/things/t1", "application/json", `{"text":"x"} {}`, 422, "more after"},
		{"/v1/things/t1", "application/json", `[]`, 422, "malformed"},
		{"/v1/things/t1", "application/json", `{"ID":"other","Kind":"b","text":"x"}`, 201, `"key":"t1x"`},
		{"/v1/things/t1", "text/plain", `{"text":"x"}`, 415, "media_type"},
		{"/v1/things/t1", "application/json", `{"text":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "too_large"},
		{"/v1/things/t1", "application/json", `{"text":"missing"}`, 404, "not_found"},
		{"/v1/things/t1", "application/json", `{"text":"broken"}`, 500, "the log says why"},
		{"/v1/things/t1", "application/json", `{"text":"\u202e"}`, 201, `t1\u202e`},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), "unexpected EOF") {
			t.Errorf("%s %.60s is answered %d %.300s", c.path, c.body, w.Code, w.Body)
		}
	}
}

func TestTheDocumentSaysWhatEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(api.Document("v1", []api.Endpoint{endpoint()}))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	schema := doc.Components.Schemas["Thing"].Value
	if !schema.Properties["key"].Value.Type.Is("string") || schema.Properties["name"] == nil || len(schema.Required) != 3 {
		t.Errorf("properties %v, required %v", schema.Properties, schema.Required)
	}
	for _, v := range []thing{{}, {Key: "k", At: time.Now(), Raw: json.RawMessage(`[1]`), Parts: []inner{{}}, Next: &thing{}}} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if err := schema.VisitJSON(got); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if schema.VisitJSON(map[string]any{"key": 1.0, "at": "x", "parts": nil}) == nil {
		t.Error("a wrong type fits, so this test says nothing")
	}
}
