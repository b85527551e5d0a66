package bedrock_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// subject is a key of this provider in front of a service that fails.
func subject(id, undo string, fine ...string) faulttest.Subject {
	return faulttest.Subject{
		Open: func(url string) (keys.Provider, error) {
			return bedrock.New(bedrock.Config{
				Account: "prod", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1"},
				Credentials: credentials.NewStaticCredentialsProvider("AKIARESPONDERRESPOND", strings.Repeat("responder0", 4), ""),
				Pace:        time.Millisecond, // nothing here counts questions
				Endpoints:   bedrock.Endpoints{IAM: url, STS: url, CloudTrail: url, Bedrock: url, CostExplorer: url},
			})
		},
		Key:    incident.Key{Provider: "bedrock", Account: "prod", Project: sandbox.AWSAccountID, ID: id, UID: "user/shop", Name: "shop"},
		Undo:   undo,
		Secret: `{"AccessKeyId":"AKIAQQQQQQQQQQQQQQQQ","SecretAccessKey":"` + strings.Repeat("abcdeFGHIJ", 4) + `"}`,
		Type:   "text/xml",
		Body: func(status int, text string) string {
			code := map[int]string{400: "InvalidInput", 403: "AccessDenied", 404: "NoSuchEntity", 409: "ConcurrentModification", 429: "Throttling", 500: "ServiceFailure", 503: "ServiceUnavailable"}[status]
			return fmt.Sprintf(`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, text)
		},
		Fine: append(fine, "contain/404", "orphans/404"),
	}
}

func TestEveryCallAgainstEveryFault(t *testing.T) {
	t.Parallel()
	faulttest.Run(t, faulttest.Provider("bedrock", subject("AKIAQQQQQQQQQQQQQQQQ", `{"op":"contain","status":"Active"}`)))
}
