package bedrock_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestEveryCallToIAMNamesTheUser(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	for _, stolen := range []sandbox.Key{h.world.NewAWSAccessKey("shop"), h.world.NewAWSAPIKey("BedrockAPIKey-8f2a")} {
		k := h.find(t, stolen)
		for _, do := range everything(ctx, h, k, stolen) {
			_ = do()
		}
		nameless := k
		nameless.UID = ""
		for name, do := range everything(ctx, h, nameless, stolen) {
			if err := do(); err == nil && !slices.Contains([]string{"identify", "check", "probe"}, name) && !(name == "sessions" && stolen.ID[:4] == "ACCA") {
				t.Errorf("%s of a key without a user went through", name)
			}
		}
	}
	free := []string{"Action=ListUsers", "Action=GetAccessKeyLastUsed", "AllUsers=true", "Action=GetCallerIdentity", "Action=GetAccessKeyInfo"}
	for _, r := range h.seen.list {
		if strings.Contains(r, "Action=") && !strings.Contains(r, "UserName=") && !slices.ContainsFunc(free, func(f string) bool { return strings.Contains(r, f) }) {
			t.Errorf("no user is named in %q", r)
		}
	}
}

func TestOurOwnKeyIsNeverTouched(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	id, _ := h.world.AWSResponder()
	k := one(t, must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{ID: id}, nil)))
	if _, err := h.provider.Contain(ctx, k); err == nil || !keys.IsPermanent(err) || !strings.Contains(err.Error(), "itself works with") {
		t.Fatalf("containing our own key: %v", err)
	}
	if _, err := h.provider.Revoke(ctx, k); err == nil || !keys.IsPermanent(err) {
		t.Fatalf("deleting our own key: %v", err)
	}
}

func TestSessionsEndByAPolicyThatComesOffAgain(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	session, short := h.world.NewAWSSession("chat-service")
	if code := h.useSession(t, short); code != http.StatusOK {
		t.Fatalf("the session does not work at first: %d", code)
	}
	k := one(t, must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(short))))
	if k.UID != "role/chat-service" || k.OwnerKind != "iam_role" {
		t.Fatalf("identified as %+v", k)
	}
	if c := keys.CanFor(h.provider, keys.OpContain, k); c.Reach != keys.ReachProject || c.Undo == "" {
		t.Fatalf("the card would say %+v", c)
	}
	if c := keys.CanFor(h.provider, keys.OpRevoke, k); c.Available || c.Why == "" {
		t.Fatalf("the card would say %+v", c)
	}
	st := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, k))
	h.probe(t, k, short, keys.ProbeWorking)
	h.probe(t, k, session.Secret(), keys.ProbeWorking)
	must[keys.Receipt](t)(h.provider.Contain(ctx, k))
	h.probe(t, k, short, keys.ProbeRefused)
	h.probe(t, k, session.Secret(), keys.ProbeRefused)
	if now := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, k)); !now.Done || now.Fields["deny_policy"] == "none" {
		t.Fatalf("the state after is %+v", now)
	}
	must[keys.Receipt](t)(h.provider.Restore(ctx, k, st.Undo))
	must[keys.Receipt](t)(h.provider.Restore(ctx, k, st.Undo)) // taken off twice is off
	h.probe(t, k, short, keys.ProbeWorking)
	if _, err := h.provider.Revoke(ctx, k); !keys.IsPermanent(err) {
		t.Fatalf("a session was deleted: %v", err)
	}
}

func TestAnEarlierDenyPolicyIsPutBack(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	k := h.find(t, h.world.NewAWSAccessKey("shop"))
	must[keys.Receipt](t)(h.provider.Sessions(ctx, k))
	first := must[keys.State](t)(h.provider.State(ctx, keys.OpSessions, k))
	later, err := bedrock.New(later(t, h))
	if err != nil {
		t.Fatal(err)
	}
	must[keys.Receipt](t)(later.Sessions(ctx, k))
	if now := must[keys.State](t)(later.State(ctx, keys.OpSessions, k)); now.Fields["deny_policy"] == first.Fields["deny_policy"] {
		t.Fatal("a repeat did not move the time on")
	}
	must[keys.Receipt](t)(later.Restore(ctx, k, first.Undo))
	if now := must[keys.State](t)(h.provider.State(ctx, keys.OpSessions, k)); now.Fields["deny_policy"] != first.Fields["deny_policy"] {
		t.Fatalf("the earlier policy is %v, not %v", now.Fields, first.Fields)
	}
}

func TestAKeyWhoseSecretPartNobodyToldIsProvenByTheRecord(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	stolen := h.world.NewAWSAccessKey("shop")
	k := one(t, must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(stolen.ID))))
	h.probe(t, k, stolen.ID, keys.ProbeUnknown)
	must[keys.Receipt](t)(h.provider.Contain(ctx, k))
	h.probe(t, k, stolen.ID, keys.ProbeUnknown)
	must[keys.Receipt](t)(h.provider.Revoke(ctx, k))
	h.probe(t, k, stolen.ID, keys.ProbeRefused)
}

func TestAChangeOfIAMIsFeltALittleLater(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // seconds that the world is ahead of us
	w := sandbox.NewWorld(sandbox.Options{AWSDelay: 4 * time.Second, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) }})
	h, ctx := in(t, w), within(t)
	stolen := w.NewAWSAccessKey("shop")
	k := h.find(t, stolen)
	must[keys.Receipt](t)(h.provider.Contain(ctx, k))
	if st := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, k)); !st.Done {
		t.Fatal("IAM does not show what it was told")
	}
	h.probe(t, k, stolen.Secret(), keys.ProbeWorking)
	ahead.Store(5)
	h.probe(t, k, stolen.Secret(), keys.ProbeRefused)
}

func TestACreatedKeyWorksAndAThirdIsRefusedInWords(t *testing.T) {
	t.Parallel()
	for name, leak := range map[string]func(*sandbox.World) sandbox.Key{
		"access key": func(w *sandbox.World) sandbox.Key { return w.NewAWSAccessKey("shop") },
		"api key":    func(w *sandbox.World) sandbox.Key { return w.NewAWSAPIKey("shop") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, ctx := build(t), within(t)
			k := h.find(t, leak(h.world))
			made := must[keys.Created](t)(h.provider.Create(ctx, k, "tourniquet-1"))
			h.probe(t, made.Key, string(made.Secret), keys.ProbeWorking)
			again := one(t, must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, made.Secret)))
			if again.ID != made.Key.ID {
				t.Fatalf("the new value belongs to %q, not to %q", again.ID, made.Key.ID)
			}
			if _, err := h.provider.State(ctx, keys.OpCreate, k); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "AWS allows no more") {
				t.Errorf("a plan for a third key says %v", err)
			}
			_, err := h.provider.Create(ctx, k, "tourniquet-2")
			if !keys.IsPermanent(err) || !strings.Contains(err.Error(), made.Key.ID) || !strings.Contains(err.Error(), "delete one") {
				t.Errorf("a third key: %v", err)
			}
			noSecret(t, string(made.Secret), err.Error())
		})
	}
}

func TestALostCreationIsSentOnceAndFoundByTheNextAttempt(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	k := h.find(t, h.world.NewAWSAccessKey("shop"))
	for _, fault := range []int{500, sandbox.FaultLost} {
		sent := h.seen.count("Action=CreateAccessKey")
		must[[]incident.Key](t)(h.provider.Orphans(ctx, k, "tourniquet-1"))
		h.faultAt("CreateAccessKey", fault)
		if _, err := h.provider.Create(ctx, k, "tourniquet-1"); err == nil || keys.IsPermanent(err) || !strings.Contains(err.Error(), "next attempt") {
			t.Fatalf("%d: the lost creation says %v", fault, err)
		}
		if n := h.seen.count("Action=CreateAccessKey") - sent; n != 1 {
			t.Fatalf("%d: the creation was sent %d times", fault, n)
		}
		orphans := must[[]incident.Key](t)(h.provider.Orphans(ctx, k, "tourniquet-1"))
		want := map[int]int{500: 0, sandbox.FaultLost: 1}[fault]
		if len(orphans) != want {
			t.Fatalf("%d: %d orphans were found, not %d", fault, len(orphans), want)
		}
		for _, o := range orphans {
			must[keys.Receipt](t)(h.provider.Revoke(ctx, o))
		}
	}
	if other := must[[]incident.Key](t)(h.provider.Orphans(ctx, k, "tourniquet-other")); len(other) != 0 {
		t.Fatalf("another attempt's label finds %v", other)
	}
	made := must[keys.Created](t)(h.provider.Create(ctx, k, "tourniquet-1"))
	h.probe(t, made.Key, string(made.Secret), keys.ProbeWorking)
	if got := must[[]incident.Key](t)(h.provider.Orphans(ctx, k, "tourniquet-1")); len(got) != 0 {
		t.Fatalf("a key that is in use is taken for an orphan: %v", got)
	}
}

func TestUsageTellsWhereTheThiefWasAndMarksHisRoutine(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, func(c *bedrock.Config) { c.MicroUSDPerRequest, c.PriceBasis = 10000, "the sandbox's price" }), within(t)
	stolen := h.world.NewAWSAccessKey("shop")
	k := h.find(t, stolen)
	h.thief(t, stolen, "bedrock", "us-west-2", http.MethodGet, "/foundation-models", "")
	for range 60 { // more than one page of CloudTrail
		h.spend(t, stolen, "us-west-2")
	}
	h.thief(t, stolen, "bedrock", "us-east-1", http.MethodPost, "/model/anthropic.claude-sonnet-4-20250514-v1:0/converse", `{"inferenceConfig":{"maxTokens":-1}}`)
	u := must[keys.Usage](t)(h.provider.Usage(ctx, k, time.Now().Add(-time.Hour), time.Now()))
	if u.Requests != 61 || u.MicroUSD != 600000 || !u.CostKnown || u.Incomplete != "" || len(u.Raw) < 3 {
		t.Fatalf("requests %d, micro dollars %d, known %v, incomplete %q, answers %d", u.Requests, u.MicroUSD, u.CostKnown, u.Incomplete, len(u.Raw))
	}
	if !slices.Equal(u.NewAddresses, []string{"198.51.100.23"}) || u.FirstAbuse.IsZero() {
		t.Errorf("addresses %v, first abuse %v", u.NewAddresses, u.FirstAbuse)
	}
	probing, regions := int64(0), map[string]bool{}
	for _, r := range u.Rows {
		regions[r.Region] = true
		if r.Probing {
			probing += r.Requests
		}
		if r.Agent != "python-requests/2.31" {
			t.Errorf("agent %q", r.Agent)
		}
	}
	if probing != 2 || len(regions) != 2 {
		t.Errorf("%d probing calls in %v", probing, regions)
	}
	quick := must[keys.Usage](t)(h.provider.Usage(keys.Quick(ctx), k, time.Now().Add(-time.Hour), time.Now()))
	if quick.Requests != 61 {
		t.Errorf("a quick answer counts %d", quick.Requests)
	}
}

func TestWithoutAPriceTheBillIsAskedOnceInAWhile(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	stolen := h.world.NewAWSAPIKey("BedrockAPIKey-8f2a")
	k := h.find(t, stolen)
	for range 3 {
		h.spend(t, stolen, "us-east-1")
	}
	for range 2 {
		u := must[keys.Usage](t)(h.provider.Usage(ctx, k, time.Now().Add(-time.Hour), time.Now()))
		if u.Requests != 3 || u.MicroUSD != 30000 || !strings.HasPrefix(u.CostBasis, "billed") {
			t.Fatalf("requests %d, micro dollars %d, %s", u.Requests, u.MicroUSD, u.CostBasis)
		}
	}
	if n := h.seen.count("GetCostAndUsage"); n != 1 {
		t.Fatalf("Cost Explorer, which takes a cent for each answer, was asked %d times", n)
	}
}

func TestPersistenceNamesWhatTheIntruderLeft(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	stolen := h.world.NewAWSAccessKey("admin")
	h.world.AllowAWS("admin", "*")
	h.world.LogAWSInvocations("us-east-1")
	began := time.Now().Add(-time.Minute)
	for _, call := range [][]string{
		{"CreateUser", "UserName", "BedrockAPIKey-77aa"}, {"CreateServiceSpecificCredential", "UserName", "BedrockAPIKey-77aa", "ServiceName", "bedrock.amazonaws.com"},
		{"CreateAccessKey", "UserName", "BedrockAPIKey-77aa"}, {"CreateLoginProfile", "UserName", "BedrockAPIKey-77aa"},
	} {
		if code := h.iam(t, stolen, call[0], call[1:]...); code != http.StatusOK {
			t.Fatalf("the thief's %s was answered %d", call[0], code)
		}
	}
	h.thief(t, stolen, "bedrock", "us-east-1", http.MethodDelete, "/logging/modelinvocations", "")
	traces, raw, err := h.provider.Persistence(ctx, h.find(t, stolen), began)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, tr := range traces {
		found[tr.Kind] += tr.What + "\n"
	}
	for kind, want := range map[string]string{
		"phantom_user": "a console password", "access_key_created": "BedrockAPIKey-77aa", "user_created": "BedrockAPIKey-77aa", "login_profile_created": "BedrockAPIKey-77aa",
		"bedrock_api_key": "ACCA", "invocation_logging_off": "us-east-1", "thief_routine": "DeleteModelInvocationLoggingConfiguration", "identity_changed": "CreateUser",
	} {
		if !strings.Contains(found[kind], want) {
			t.Errorf("%s: %q is not in %q", kind, want, found[kind])
		}
	}
	if !strings.Contains(found["phantom_user"], "AmazonBedrockLimitedAccess") || !strings.Contains(found["phantom_user"], "access key AKIA") {
		t.Errorf("the phantom user is described as %q", found["phantom_user"])
	}
	if len(raw) == 0 || !json.Valid(raw[0].Body) {
		t.Error("no answer of CloudTrail was kept as evidence")
	}
}

func TestWhatWeMadeOurselvesIsNoTraceOfAnIntruder(t *testing.T) {
	t.Parallel()
	var late atomic.Int64 // seconds that the world is behind us
	late.Store(600)
	w := sandbox.NewWorld(sandbox.Options{AWSDelay: -1, Now: func() time.Time { return time.Now().Add(-time.Duration(late.Load()) * time.Second) }})
	h, ctx := in(t, w), within(t)
	w.LogAWSInvocations("us-east-1")
	w.LogAWSInvocations("us-west-2")
	stolen := w.NewAWSAPIKey("BedrockAPIKey-8f2a")
	late.Store(0)
	k := h.find(t, stolen)
	must[keys.Created](t)(h.provider.Create(ctx, k, "tourniquet-1"))
	traces, _, err := h.provider.Persistence(ctx, k, time.Now().Add(-time.Minute)) // the phantom user is older than that
	if err != nil || len(traces) != 0 {
		t.Fatalf("%v, %v", traces, err)
	}
	traces, _, err = h.provider.Persistence(ctx, k, time.Now().Add(-time.Hour))
	for _, tr := range traces {
		if tr.Kind == "api_key_created" || tr.Kind == "bedrock_api_key" && strings.Count(tr.What, "ACCA") != 1 {
			t.Errorf("our own key is a trace: %+v", tr)
		}
	}
	if err != nil || len(traces) == 0 {
		t.Fatalf("the stolen key itself and its phantom user are new and no trace: %v, %v", traces, err)
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := build(t)
	if err := h.provider.Check(within(t)); err != nil {
		t.Fatal(err)
	}
	other := build(t, func(c *bedrock.Config) { c.AccountID = "210987654321" })
	if err := other.provider.Check(within(t)); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "123456789012") {
		t.Fatalf("credentials of another account: %v", err)
	}
}

func TestTheLivingKeysOfTheAccountAreListed(t *testing.T) {
	t.Parallel()
	h, ctx := build(t), within(t)
	access, api, still := h.world.NewAWSAccessKey("shop"), h.world.NewAWSAPIKey("BedrockAPIKey-8f2a"), h.world.NewAWSAccessKey("chat")
	must[keys.Receipt](t)(h.provider.Contain(ctx, h.find(t, still)))
	ids := map[string]string{}
	for _, k := range must[[]incident.Key](t)(h.provider.List(ctx)) {
		ids[k.ID] = k.UID
	}
	if ids[access.ID] != "user/shop" || ids[api.ID] != "user/BedrockAPIKey-8f2a" || ids[still.ID] != "" {
		t.Errorf("listed %v", ids)
	}
	h.world.Fault("iam", http.StatusForbidden, 1)
	if list, err := h.provider.List(ctx); err == nil || len(list) != 0 {
		t.Errorf("without the right: %v, %v", list, err)
	}
}
