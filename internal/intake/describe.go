package intake

import (
	"net/http"
	"reflect"

	"github.com/tourniquet-ir/tourniquet/internal/api"
)

// toSource is where a source posts to. One path cannot have two names for its last part, so the source stands under id.
type toSource struct {
	ID string `path:"id" doc:"name of the source, as the configuration has it"`
}

type ofAlert struct {
	ID string `path:"id" doc:"id of the alert, as the answer to its delivery said"`
}

// Endpoints describes the door for the API's document; the door itself serves them.
func Endpoints() []api.Endpoint {
	return []api.Endpoint{
		{
			Method: http.MethodPost, Path: "/v1/alerts/{id}", ID: "sendFinding", Summary: "A finding, as its source sends it; answered when it is durably stored", Status: http.StatusAccepted,
			In: reflect.TypeFor[toSource](), Out: reflect.TypeFor[answer](), Open: true, AnyBody: true, More: map[int]string{http.StatusOK: "A handshake that some sources begin with"},
		},
		{
			Method: http.MethodGet, Path: "/v1/alerts/{id}", ID: "getAlertFate", Summary: "What became of an alert, and why", Status: http.StatusOK,
			In: reflect.TypeFor[ofAlert](), Out: reflect.TypeFor[fateOf](),
		},
	}
}
