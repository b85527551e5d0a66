package bedrock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Probe tries the value with one call that costs nothing: an access key asks who it is, which needs no permission; a Bedrock
// key lists the models.
func (p *Provider) Probe(ctx context.Context, key incident.Key, secret []byte) (keys.Probed, error) {
	v := parse(secret)
	switch {
	case v.bearer != "":
		return p.probeBearer(ctx, v)
	case v.id != "" && v.secret != "":
		return p.probePair(ctx, v)
	}
	return p.probeRecord(ctx, key)
}

// probeRecord is for a finding that holds the id of an access key alone, as GitHub's scanner sends it: nobody can try that,
// so IAM's own record has to do.
func (p *Provider) probeRecord(ctx context.Context, key incident.Key) (keys.Probed, error) {
	st, err := p.State(ctx, keys.OpRevoke, key)
	switch {
	case err != nil:
		return keys.Probed{}, err
	case st.Done:
		return keys.Probed{State: keys.ProbeRefused, Detail: "IAM's record says deleted; the secret part was never known to us, so it was not tried"}, nil
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: "the secret part was never known to us, so the key cannot be tried, and IAM still lists it"}, nil
}

func (p *Provider) probePair(ctx context.Context, v value) (keys.Probed, error) {
	cfg := p.aws(p.cfg.Regions[0])
	cfg.Credentials = credentials.NewStaticCredentialsProvider(v.id, v.secret, v.token)
	if v.token != "" {
		return p.probeSession(ctx, cfg)
	}
	client := sts.NewFromConfig(cfg, func(o *sts.Options) { o.BaseEndpoint = at(p.cfg.Endpoints.STS, cfg.Region) })
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if ctx.Err() != nil {
		return keys.Probed{}, ctx.Err()
	}
	switch code(err) {
	case "InvalidClientTokenId":
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 InvalidClientTokenId (deleted or inactive)"}, nil
	case "":
		if err == nil {
			return keys.Probed{State: keys.ProbeWorking, Detail: "200"}, nil
		}
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: unclear(err)}, nil
}

// probeSession lists models: AWS lets every token ask who it is, whatever is denied to it.
func (p *Provider) probeSession(ctx context.Context, cfg aws.Config) (keys.Probed, error) {
	_, err := p.bedrock(cfg).ListFoundationModels(ctx, &bedrock.ListFoundationModelsInput{})
	if ctx.Err() != nil {
		return keys.Probed{}, ctx.Err()
	}
	switch word := code(err); {
	case err == nil:
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}, nil
	case word == "UnrecognizedClientException" || word == "ExpiredTokenException":
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 " + word}, nil
	case word == "AccessDeniedException" && strings.Contains(err.Error(), "explicit deny"):
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 AccessDeniedException (explicitly denied)"}, nil
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: unclear(err)}, nil
}

// unclear words an answer that says neither yes nor no.
func unclear(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && status(err) > 0 {
		return scrub(fmt.Errorf("%d %s", status(err), cut(api.ErrorCode()))).Error()
	}
	var network *url.Error
	if errors.As(err, &network) {
		err = network.Err
	}
	return "no usable answer: " + scrub(err).Error()
}

func (p *Provider) probeBearer(ctx context.Context, v value) (keys.Probed, error) {
	region := p.cfg.Regions[0]
	if v.region != "" {
		region = v.region
	}
	base := "https://bedrock." + region + ".amazonaws.com"
	if own := at(p.cfg.Endpoints.Bedrock, region); own != nil {
		base = *own
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/foundation-models", nil)
	if err != nil {
		return keys.Probed{}, keys.Permanent(errors.New("the address of Bedrock in the configuration is not a URL"))
	}
	request.Header.Set("Authorization", "Bearer "+v.bearer)
	response, err := p.plain.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return keys.Probed{}, ctx.Err()
		}
		return keys.Probed{State: keys.ProbeUnknown, Detail: unclear(err)}, nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body) // the transport has bounded it
	if err != nil {
		return keys.Probed{State: keys.ProbeUnknown, Detail: fmt.Sprintf("%d, but the answer broke off", response.StatusCode)}, nil
	}
	return judgeBearer(response.StatusCode, response.Header.Get("X-Amzn-Errortype"), body), nil
}

// judgeBearer tells three kinds of 403 apart: a key that is not known, a key whose owner was denied the use of such keys,
// and a living key that may do something else.
func judgeBearer(status int, kind string, body []byte) keys.Probed {
	var answer struct{ Message string }
	valid := json.Unmarshal(body, &answer) == nil
	word := kind
	if at := strings.IndexByte(word, ':'); at >= 0 {
		word = word[:at]
	}
	denied := status == http.StatusForbidden && valid && strings.HasPrefix(word, "AccessDenied")
	switch {
	case status == http.StatusOK && valid:
		return keys.Probed{State: keys.ProbeWorking, Detail: "200"}
	case denied && strings.Contains(answer.Message, "bedrock:CallWithBearerToken"):
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 AccessDeniedException (its user or role may not use such keys)"}
	case denied && strings.Contains(answer.Message, "not authorized to perform"):
		return keys.Probed{State: keys.ProbeWorking, Detail: "403 AccessDeniedException for this call alone: the key itself is taken"}
	case denied && strings.Contains(answer.Message, "Authentication failed"):
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 AccessDeniedException (deleted, inactive or expired)"}
	case status == http.StatusForbidden && (word == "UnrecognizedClientException" || word == "ExpiredTokenException"):
		return keys.Probed{State: keys.ProbeRefused, Detail: "403 " + word}
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: scrub(fmt.Errorf("%d %s", status, cut(word))).Error()}
}
