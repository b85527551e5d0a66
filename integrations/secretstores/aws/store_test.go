package aws_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/aws"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const region = "eu-central-1"

func at(t *testing.T, url, id, secret string) *aws.Store {
	t.Helper()
	s, err := aws.New(aws.Options{Endpoint: url, Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type room struct {
	world   *sandbox.World
	secrets *sandbox.AWSSecrets
	url     string
	storetest.Bench
}

func open(t *testing.T, field string) room {
	t.Helper()
	w := sandbox.NewWorld(sandbox.Options{})
	a := w.AWSSecrets()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	id, secret := a.Credentials()
	r := room{w, a, srv.URL, storetest.Bench{
		Store:     at(t, srv.URL, id, secret),
		Dependent: incident.Dependent{ID: "shop", Kind: aws.Kind, Address: map[string]string{"region": region, "name": "shop/prod"}},
		Write:     func(v string) { a.SetSecret(region, "shop/prod", v) },
		Read:      func() string { got, _ := a.Secret(region, "shop/prod"); return got },
	}}
	if field == "" {
		return r
	}
	r.Dependent.Address["field"] = field
	r.Write = func(v string) { a.SetSecret(region, "shop/prod", `{"`+field+`":"`+v+`","other":{"deep":1.50}}`) }
	r.Read = func() string {
		var fields map[string]any
		got, _ := a.Secret(region, "shop/prod")
		if json.Unmarshal([]byte(got), &fields) != nil || fields["other"] == nil {
			return got
		}
		return fields[field].(string)
	}
	return r
}

func TestASecretIsWrittenSeenAndPutBackByItsStage(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"", "api_key"} {
		r := open(t, field)
		storetest.Round(t, r.Bench)
		if _, versions := r.secrets.Secret(region, "shop/prod"); versions != 2 {
			t.Errorf("there are %d versions: putting back moves a stage and writes nothing", versions)
		}
	}
}

func TestWhatSomebodyElseWroteIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	storetest.Moved(t, open(t, "").Bench)
}

func TestARepeatOfOneCallChangesNothingAndAnotherValueUnderItsNameIsRefused(t *testing.T) {
	t.Parallel()
	r := open(t, "")
	r.Write(storetest.Value(t))
	c := storetest.Change(t, r.Bench, storetest.Value(t))
	for range 2 {
		if _, err := r.Store.Update(t.Context(), r.Dependent, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, versions := r.secrets.Secret(region, "shop/prod"); versions != 2 {
		t.Errorf("a repeat made %d versions", versions)
	}
	c.Value = []byte(storetest.Value(t))
	if _, err := r.Store.Update(t.Context(), r.Dependent, c); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "another value") {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	r := open(t, "api_key")
	r.secrets.SetSecret(region, "shop/prod", "no JSON object")
	if _, err := r.Store.Update(t.Context(), r.Dependent, storetest.Change(t, r.Bench, "x")); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "JSON object") {
		t.Errorf("%v", err)
	}
	if h, err := r.Store.Holds(t.Context(), r.Dependent, nil); err != nil || h.Healthy {
		t.Errorf("%+v %v", h, err)
	}
	r.secrets.Delete(region, "shop/prod")
	if _, err := r.Store.State(t.Context(), r.Dependent); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "deletion") {
		t.Errorf("%v", err)
	}
	wrong := at(t, r.url, "AKIAWRONG", "wrong")
	r.secrets.SetSecret(region, "other", "x")
	d := r.Dependent
	d.Address = map[string]string{"region": region, "name": "other"}
	if _, err := wrong.State(t.Context(), d); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("%v", err)
	}
	if err := r.Store.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAddressesThatCannotBeAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	r := open(t, "")
	storetest.Misnamed(t, r.Bench, func() int { return len(r.world.Entries()) },
		map[string]string{"region": ""}, map[string]string{"region": "evil.example/"}, map[string]string{"name": ""}, map[string]string{"name": "a b"})
	if _, err := aws.New(aws.Options{}); err == nil {
		t.Error("a store without credentials was made")
	}
}

func TestThrottlingThatComesAs400IsTriedAgain(t *testing.T) {
	t.Parallel()
	r := open(t, "")
	r.Write("x")
	r.world.Fault("secretsmanager", 429, 1)
	if _, err := r.Store.State(t.Context(), r.Dependent); err == nil || keys.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}
