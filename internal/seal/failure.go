package seal

import (
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// encodedMessage is what the SDK puts where an encrypted message was.
const encodedMessage = "Encoded failure"

// FailureConverter encrypts messages and stack traces of failures as well: they quote what an action was given. The type
// name of an application error stays readable, because retry policies at the server compare it.
func FailureConverter(r *Ring) converter.FailureConverter {
	data := DataConverter(r)
	return failures{data: data, inner: temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          data,
		EncodeCommonAttributes: true,
	})}
}

// failures closes two holes of the SDK's converter, through which words reach the history unencrypted. It decodes a
// failure in place, although the same message is then recorded for a local activity. And an error that came from a
// failure gives back that decoded failure, so that a workflow which returns an activity's error writes it in plain text.
type failures struct {
	data  converter.DataConverter
	inner converter.FailureConverter
}

// FailureToError leaves its argument as it was.
func (f failures) FailureToError(failure *failurepb.Failure) error {
	if failure == nil {
		return nil
	}
	return f.inner.FailureToError(proto.CloneOf(failure))
}

// ErrorToFailure encrypts every level of the chain of causes that is readable.
func (f failures) ErrorToFailure(err error) *failurepb.Failure {
	failure := f.inner.ErrorToFailure(err)
	if failure == nil {
		return nil
	}
	failure = proto.CloneOf(failure)
	for level := failure; level != nil; level = level.GetCause() {
		if level.GetEncodedAttributes() != nil && level.GetMessage() == encodedMessage && level.GetStackTrace() == "" {
			continue
		}
		if converter.EncodeCommonFailureAttributes(f.data, level) != nil { // better no words than readable ones
			level.Message, level.StackTrace, level.EncodedAttributes = "a failure whose words could not be encrypted", "", nil
		}
	}
	return failure
}
