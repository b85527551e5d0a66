package bedrock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	providerName = "bedrock"
	callTimeout  = 30 * time.Second
	globalRegion = "us-east-1" // where IAM and Cost Explorer live
	lookupEvery  = 500 * time.Millisecond
)

// Endpoints replace AWS's own addresses, for private networks; {region} in one is replaced by the Region's name.
type Endpoints struct{ IAM, STS, CloudTrail, Bedrock, CostExplorer string }

// Config of one AWS account.
type Config struct {
	Account     string   // name of the account in tourniquet.yaml
	AccountID   string   // twelve digits
	Regions     []string // where use is looked for; Bedrock and CloudTrail answer for one Region each
	Credentials aws.CredentialsProvider
	Endpoints   Endpoints
	HTTPClient  *http.Client // its transport is used below ours; nil means the default

	MicroUSDPerRequest int64  // estimate of one model call, millionths of a dollar; 0 means Cost Explorer is asked
	PriceBasis         string // where that estimate comes from
	Now                func() time.Time
	Pace               time.Duration // between two questions to CloudTrail in one Region; 0 means what AWS takes
}

// Provider speaks to one AWS account.
type Provider struct {
	cfg   Config
	plain *http.Client
	iam   *iam.Client
	sts   *sts.Client

	mu     sync.Mutex           // guards what is below
	next   map[string]time.Time // Region -> when CloudTrail may be asked again
	billed map[string]bill      // days -> answer of Cost Explorer
	mine   map[string]bool      // ids of keys that we made since we started: no traces of an intruder
}

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// New checks the configuration and makes a provider; it makes no call.
func New(cfg Config) (*Provider, error) {
	if cfg.Account == "" || !accountID.MatchString(cfg.AccountID) {
		return nil, fmt.Errorf("a bedrock account needs a name and an account_id of twelve digits, got account %q and account_id %q", cfg.Account, cfg.AccountID)
	}
	if len(cfg.Regions) == 0 {
		return nil, fmt.Errorf("the bedrock account %q names no regions: list those in which models may be called", cfg.Account)
	}
	for _, r := range cfg.Regions {
		if !regionName.MatchString(r) {
			return nil, fmt.Errorf("the bedrock account %q names the region %q, which is none of AWS's", cfg.Account, r)
		}
	}
	if cfg.Credentials == nil {
		return nil, fmt.Errorf("the bedrock account %q has no credentials", cfg.Account)
	}
	if cfg.Pace == 0 {
		cfg.Pace = lookupEvery
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Provider{cfg: cfg, next: map[string]time.Time{}, billed: map[string]bill{}, mine: map[string]bool{}}
	p.plain = tape.Transport{Next: tape.Next(cfg.HTTPClient), Judge: judgeAnswer}.Client(callTimeout)
	p.iam = iam.NewFromConfig(p.aws(globalRegion), func(o *iam.Options) { o.BaseEndpoint = at(cfg.Endpoints.IAM, globalRegion) })
	home := cfg.Regions[0]
	p.sts = sts.NewFromConfig(p.aws(home), func(o *sts.Options) { o.BaseEndpoint = at(cfg.Endpoints.STS, home) })
	return p, nil
}

// aws is the SDK's configuration for a Region. The SDK repeats nothing: reads are repeated here, the rest by nobody.
func (p *Provider) aws(region string) aws.Config {
	return aws.Config{Region: region, Credentials: p.cfg.Credentials, HTTPClient: p.plain, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
}

// at is an endpoint for the SDK; nil means AWS's own.
func at(endpoint, region string) *string {
	if endpoint == "" {
		return nil
	}
	return aws.String(strings.ReplaceAll(strings.TrimSuffix(endpoint, "/"), "{region}", region))
}

// Name of the provider.
func (p *Provider) Name() string { return providerName }

// Can speaks of an access key.
func (p *Provider) Can(op keys.Op) keys.Capability {
	return p.CanKey(op, incident.Key{ID: prefixAccessKey})
}

// CanKey declares what AWS offers for a key of this kind.
func (p *Provider) CanKey(op keys.Op, key incident.Key) keys.Capability {
	if kindOf(key.ID) == kindSession {
		return canSession(op)
	}
	what, limit := "access key", "an IAM user has two access keys at most"
	if kindOf(key.ID) == kindAPIKey {
		what, limit = "Bedrock API key", "an IAM user has two Bedrock API keys at most"
	}
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Set the " + what + " inactive", Undo: "Set it active again"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Give the " + what + " its recorded status back; a deleted one cannot be restored"}
	case keys.OpRevoke:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Delete the " + what + " for good"}
	case keys.OpCreate:
		return keys.Capability{Available: true, Reach: keys.ReachKey, What: "Create another " + what + " for the same IAM user; " + limit, Undo: "Delete the unused " + what}
	case keys.OpSessions:
		if kindOf(key.ID) == kindAPIKey {
			return keys.Capability{Reach: keys.ReachKey, Why: "no sessions are derived from a long-term Bedrock API key"}
		}
		return keys.Capability{Available: true, Reach: keys.ReachProject,
			What: "Deny the IAM user everything that is asked with a temporary token issued before now, and every short-term Bedrock key: felt by all sessions of this user, not by its long-term keys",
			Undo: "Take the deny policy off the user"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

func canSession(op keys.Op) keys.Capability {
	switch op {
	case keys.OpContain:
		return keys.Capability{Available: true, Reach: keys.ReachProject,
			What: "Deny the user or role that this credential was derived from everything that is asked with a token issued before now, and every short-term Bedrock key: felt by all its sessions",
			Undo: "Take the deny policy off"}
	case keys.OpRestore:
		return keys.Capability{Available: true, Reach: keys.ReachProject, What: "Take the deny policy off the user or role"}
	case keys.OpRevoke:
		return keys.Capability{Reach: keys.ReachKey, Why: "a temporary credential can be neither listed nor deleted: the deny policy stops it, and it ends by itself within 12 hours (36 for some sessions)"}
	case keys.OpCreate:
		return keys.Capability{Reach: keys.ReachKey, Why: "a temporary credential is made by whoever uses it, from the same user or role: let its application sign in again"}
	case keys.OpSessions:
		return keys.Capability{Reach: keys.ReachProject, Why: "containing a temporary credential has ended everything that was derived from it"}
	}
	return keys.Capability{Why: fmt.Sprintf("the operation %q is not known", op)}
}

// Check proves the credentials, the account and the rights to read; nothing is changed and nothing is billed.
func (p *Provider) Check(ctx context.Context) error {
	var faults []error
	faults = append(faults, p.read(ctx, "asking AWS who we are", func() error {
		who, err := p.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err == nil && aws.ToString(who.Account) != p.cfg.AccountID {
			err = keys.Permanent(fmt.Errorf("the credentials belong to the account %q, account_id says %q", aws.ToString(who.Account), p.cfg.AccountID))
		}
		return err
	}))
	if faults[0] != nil {
		return faults[0]
	}
	faults = append(faults, p.read(ctx, "listing one IAM user", func() error {
		_, err := p.iam.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(1)})
		return err
	}))
	now := p.cfg.Now()
	for _, region := range p.cfg.Regions {
		_, _, err := p.page(ctx, region, lookup{key: byName, value: "ConsoleLogin", since: now.Add(-time.Minute), until: now}, nil)
		_, logErr := p.logging(ctx, region)
		faults = append(faults, err, logErr)
	}
	return errors.Join(faults...)
}

// isMine reports a key that we made ourselves since we started. Nothing that an intruder can write tells him so.
func (p *Provider) isMine(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mine[id]
}

// ours refuses to cut the branch that we sit on.
func (p *Provider) ours(ctx context.Context, key incident.Key) error {
	own, err := p.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("our own AWS credentials could not be read: %w", scrub(err))
	}
	if own.AccessKeyID == key.ID {
		return keys.Permanent(fmt.Errorf("%s is the key that Tourniquet itself works with in account %q: give it another one first", key.ID, p.cfg.Account))
	}
	return nil
}
