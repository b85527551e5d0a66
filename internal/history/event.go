package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// reader opens payloads. What is not encrypted by this ring is named as such and not shown as if it were ours.
type reader struct {
	codec converter.PayloadCodec
	plain converter.DataConverter
}

func (d reader) event(e *historypb.HistoryEvent) Event {
	out := Event{
		ID: e.GetEventId(), Time: e.GetEventTime().AsTime(), Type: e.GetEventType().String(),
		Payloads: map[string]any{},
	}
	var notes []string
	all := map[string]any{}
	d.walk(e.ProtoReflect(), "", all, &notes)
	for path, v := range all {
		if _, short, ok := strings.Cut(path, "_event_attributes."); ok {
			path = short
		}
		out.Payloads[path] = v
	}
	if out.Action = localActivity(out.Payloads); out.Action != "" {
		notes = append(notes, out.Action)
	}
	out.Summary = strings.Join(notes, " ")
	return out
}

// localActivity is the action of a marker: the SDK keeps it in a payload.
func localActivity(payloads map[string]any) string {
	raw, ok := payloads["details.data[0]"].(json.RawMessage)
	var said struct{ ActivityType string }
	if !ok || json.Unmarshal(raw, &said) != nil {
		return ""
	}
	return said.ActivityType
}

// walk visits a message: payloads are opened, failures told, names noted.
func (d reader) walk(m protoreflect.Message, path string, into map[string]any, notes *[]string) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := strings.TrimPrefix(path+"."+string(f.Name()), ".")
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				d.message(v.Message(), at+"."+k.String(), into, notes)
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				d.message(v.List().Get(i).Message(), fmt.Sprintf("%s[%d]", at, i), into, notes)
			}
		case f.Message() != nil && !f.IsMap():
			d.message(v.Message(), at, into, notes)
		case f.Kind() == protoreflect.StringKind && !f.IsList() && !f.IsMap():
			if note := noted(string(f.Name()), v.String()); note != "" {
				*notes = append(*notes, note)
			}
		}
		return true
	})
}

// noted picks the fields that tell events apart.
func noted(name, value string) string {
	switch name {
	case "activity_id", "timer_id", "signal_name", "marker_name", "name":
		return value
	case "message":
		return fmt.Sprintf("%q", value)
	}
	return ""
}

func (d reader) message(m protoreflect.Message, path string, into map[string]any, notes *[]string) {
	switch x := m.Interface().(type) {
	case *taskqueuepb.TaskQueue: // tells nothing apart
	case *commonpb.Payload:
		into[path] = d.payload(x)
	case *commonpb.Payloads:
		for i, p := range x.GetPayloads() {
			into[fmt.Sprintf("%s[%d]", path, i)] = d.payload(p)
		}
	case *failurepb.Failure:
		d.failure(x, path, into, notes)
	default:
		d.walk(m, path, into, notes)
	}
}

// failure opens the words of a failure, which are encrypted apart from its other fields.
func (d reader) failure(f *failurepb.Failure, path string, into map[string]any, notes *[]string) {
	f = proto.CloneOf(f)
	if enc := f.GetEncodedAttributes(); enc != nil {
		var said struct {
			Message string `json:"message"`
		}
		if opened, err := d.codec.Decode([]*commonpb.Payload{enc}); err == nil && d.plain.FromPayload(opened[0], &said) == nil {
			f.Message, f.EncodedAttributes = said.Message, nil
		}
	}
	d.walk(f.ProtoReflect(), path, into, notes)
}

// payload is the JSON of one payload, or a sentence about why it cannot be shown.
func (d reader) payload(p *commonpb.Payload) any {
	enc := string(p.GetMetadata()[converter.MetadataEncoding])
	if enc != seal.Encoding {
		return fmt.Sprintf("not encrypted by this installation (%d bytes, %q)", len(p.GetData()), enc)
	}
	opened, err := d.codec.Decode([]*commonpb.Payload{p})
	if err != nil {
		return "cannot be opened: " + err.Error()
	}
	body := opened[0].GetData()
	switch inner := string(opened[0].GetMetadata()[converter.MetadataEncoding]); {
	case inner == converter.MetadataEncodingNil:
		return nil
	case inner == converter.MetadataEncodingJSON && json.Valid(body):
		return json.RawMessage(bytes.TrimSpace(body))
	default:
		return fmt.Sprintf("%d bytes of %s", len(body), inner)
	}
}
