package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

// awsShapes are the shapes of AWS's models, as its library is generated from them.
type awsShapes struct{ clients map[string]reflect.Type }

func loadAWS() *awsShapes {
	return &awsShapes{clients: map[string]reflect.Type{
		"iam": reflect.TypeFor[*iam.Client](), "sts": reflect.TypeFor[*sts.Client](), "cloudtrail": reflect.TypeFor[*cloudtrail.Client](),
		"bedrock": reflect.TypeFor[*bedrock.Client](), "cost explorer": reflect.TypeFor[*costexplorer.Client](),
		"secretsmanager": reflect.TypeFor[*secretsmanager.Client](),
	}}
}

// bedrockCalls are the calls of Bedrock's REST form that carry their names in no header.
var bedrockCalls = map[string]string{
	"GET /foundation-models":                       "ListFoundationModels",
	"GET /logging/modelinvocations":                "GetModelInvocationLoggingConfiguration",
	"PUT /logging/modelinvocations":                "PutModelInvocationLoggingConfiguration",
	"DELETE /logging/modelinvocations":             "DeleteModelInvocationLoggingConfiguration",
	"POST /list-foundation-model-agreement-offers": "ListFoundationModelAgreementOffers",
}

func (a *awsShapes) check(x exchange) (verdict, bool) {
	client, known := a.clients[x.service]
	if !known {
		return verdict{}, false
	}
	form, _ := url.ParseQuery(string(x.body))
	target := x.request.Header.Get("X-Amz-Target")
	name := form.Get("Action")
	if target != "" {
		name = target[strings.LastIndex(target, ".")+1:]
	}
	if x.service == "bedrock" {
		name = bedrockCalls[x.request.Method+" "+x.request.URL.Path]
	}
	method, found := client.MethodByName(name)
	if !found {
		return verdict{}, false
	}
	v := verdict{call: x.service + " " + name, by: "aws-sdk-go-v2"}
	in, out := method.Type.In(2).Elem(), method.Type.Out(0).Elem()
	switch {
	case form.Get("Action") != "":
		awsForm(&v, in, form)
	case len(x.body) > 0:
		value, _ := decoded(x.body)
		awsJSON(&v, "the request", in, value)
	}
	if !good(x.status) {
		awsError(&v, x)
		return v, true
	}
	v.answer = true
	if strings.Contains(x.header.Get("Content-Type"), "xml") {
		awsXML(&v, out, name, x.answer)
		return v, true
	}
	value, ok := decoded(x.answer)
	if !ok && len(x.answer) > 0 {
		v.fault("the answer is not JSON")
	}
	awsJSON(&v, "the answer", out, value)
	return v, true
}

// awsField is a member of a shape; names differ from Go's in the case of their first letter at most.
func awsField(shape reflect.Type, name string) (reflect.Type, bool) {
	if name == "" {
		return nil, false
	}
	f, ok := shape.FieldByName(strings.ToUpper(name[:1]) + name[1:])
	if !ok || f.Type == reflect.TypeFor[middleware.Metadata]() {
		return nil, false
	}
	return bare(f.Type), true
}

func bare(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// awsForm holds the names of the query protocol: a list's members are numbered below .member.
func awsForm(v *verdict, in reflect.Type, form url.Values) {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name == "Action" || name == "Version" {
			continue
		}
		shape := in
		for _, part := range strings.Split(name, ".") {
			if shape.Kind() == reflect.Slice {
				if part == "member" || strings.Trim(part, "0123456789") == "" {
					continue
				}
				shape = bare(shape.Elem())
			}
			if shape.Kind() != reflect.Struct {
				v.fault("the request has %q below a plain value", name)
				break
			}
			inner, ok := awsField(shape, part)
			if !ok {
				v.fault("the request has a field %q that is not described", name)
				break
			}
			shape = inner
		}
	}
}

// awsJSON walks a value beside its shape. Times are numbers, bytes are texts, and so are enumerations.
func awsJSON(v *verdict, at string, shape reflect.Type, value any) {
	shape = bare(shape)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner, ok := shape, shape.Kind() == reflect.Map || shape.Kind() == reflect.Interface
			switch {
			case shape.Kind() == reflect.Map:
				inner = shape.Elem()
			case shape.Kind() == reflect.Struct:
				inner, ok = awsField(shape, name)
			}
			if !ok {
				v.fault("%s has a field %q that is not described", at, name)
				continue
			}
			awsJSON(v, at+"."+name, inner, value[name])
		}
	case []any:
		if shape.Kind() != reflect.Slice {
			v.fault("%s is a list and not %s", at, shape)
			return
		}
		for _, item := range value {
			awsJSON(v, at+"[]", shape.Elem(), item)
		}
	case string:
		if k := shape.Kind(); k != reflect.String && k != reflect.Slice {
			v.fault("%s is a text and not %s", at, shape)
		}
	case float64:
		if k := shape.Kind(); k != reflect.Struct && (k < reflect.Int || k > reflect.Float64) {
			v.fault("%s is a number and not %s", at, shape)
		}
	case bool:
		if shape.Kind() != reflect.Bool {
			v.fault("%s is a boolean and not %s", at, shape)
		}
	}
}

// awsXML walks <NameResponse><NameResult>…: members of lists are called member, maps hold entries.
func awsXML(v *verdict, out reflect.Type, name string, answer []byte) {
	d := xml.NewDecoder(strings.NewReader(string(answer)))
	stack := []reflect.Type{}
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			v.fault("the answer is not XML: %s", err)
			return
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			stack = append(stack, awsElement(v, out, name, token.Name.Local, depth, stack))
		case xml.EndElement:
			depth--
			stack = stack[:len(stack)-1]
		}
	}
}

// awsElement is the shape of an element; nil for what has none to look at.
func awsElement(v *verdict, out reflect.Type, name, element string, depth int, stack []reflect.Type) reflect.Type {
	switch {
	case depth == 1:
		if element != name+"Response" {
			v.fault("the answer is a %q", element)
		}
		return nil
	case depth == 2 && element == name+"Result":
		return out
	case depth <= 3 && (element == "ResponseMetadata" || element == "RequestId"):
		return nil
	}
	above := stack[len(stack)-1]
	if above == nil {
		v.fault("the answer has an element %q that is not described", element)
		return nil
	}
	above = bare(above)
	switch {
	case above.Kind() == reflect.Slice && element == "member":
		return above.Elem()
	case above.Kind() == reflect.Struct:
		if inner, ok := awsField(above, element); ok {
			return inner
		}
	}
	v.fault("the answer has an element %q that is not described", element)
	return nil
}

// awsError holds an error's form: a code in both protocols.
func awsError(v *verdict, x exchange) {
	var inXML struct {
		Code string `xml:"Error>Code"`
	}
	var inJSON struct {
		Type string `json:"__type"`
	}
	if strings.Contains(x.header.Get("Content-Type"), "xml") {
		if err := xml.Unmarshal(x.answer, &inXML); err != nil || inXML.Code == "" {
			v.fault("the refusal %d carries no code", x.status)
		}
	} else if err := json.Unmarshal(x.answer, &inJSON); err != nil || inJSON.Type == "" && x.header.Get("X-Amzn-Errortype") == "" {
		v.fault("the refusal %d carries no code", x.status)
	}
	v.answer = true
}
