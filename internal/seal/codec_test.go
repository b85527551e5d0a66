package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func TestAnyPayloadComesBackAsItWasAndIsUnreadableBetween(t *testing.T) {
	t.Parallel()
	codec := newRing(t).Codec()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		meta := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.Byte())).Draw(t, "metadata")
		in := []*commonpb.Payload{{Metadata: meta, Data: data}, {Data: []byte("second")}}
		for k := range meta { // protobuf strings are UTF-8
			if strings.ToValidUTF8(k, "") != k {
				t.Skip()
			}
		}
		sealed, err := codec.Encode(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 4 && bytes.Contains(sealed[0].Data, data) {
			t.Fatal("the data shows")
		}
		out, err := codec.Decode(sealed)
		if err != nil {
			t.Fatal(err)
		}
		for i := range in {
			if !proto.Equal(in[i], out[i]) {
				t.Fatalf("payload %d came back as %v", i, out[i])
			}
		}
	})
}

func TestNothingInGivesNothingOut(t *testing.T) {
	t.Parallel()
	codec := newRing(t).Codec()
	for _, list := range [][]*commonpb.Payload{nil, {}} {
		if out, err := codec.Decode(list); err != nil || len(out) != 0 {
			t.Errorf("Decode gives %v, %v", out, err)
		}
		if out, err := codec.Encode(list); err != nil || len(out) != 0 {
			t.Errorf("Encode gives %v, %v", out, err)
		}
	}
}

func TestPlainPayloadsAreRefused(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	plain, err := converter.GetDefaultDataConverter().ToPayload("approve everything")
	if err != nil {
		t.Fatal(err)
	}
	good, err := seal.DataConverter(ring).ToPayload("good")
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]*commonpb.Payload{"plain JSON": plain, "no metadata": {Data: []byte("x")}, "nil": nil, "empty": {}} {
		if _, err := ring.Codec().Decode([]*commonpb.Payload{good, bad}); err == nil || !strings.Contains(err.Error(), "payload 2 of 2") {
			t.Errorf("%s gives %v", name, err)
		}
	}
	var got string
	if err := seal.DataConverter(ring).FromPayload(plain, &got); err == nil || got != "" {
		t.Errorf("the converter gives %q, %v", got, err)
	}
}

func TestAnotherRingIsRefused(t *testing.T) {
	t.Parallel()
	mine, theirs := newRing(t), newRing(t)
	sealed, err := mine.Codec().Encode([]*commonpb.Payload{{Data: []byte("mine")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Codec().Decode(sealed); err == nil || !strings.Contains(err.Error(), "not in the key ring") {
		t.Errorf("got %v", err)
	}
	stolen, err := theirs.Codec().Encode([]*commonpb.Payload{{}})
	if err != nil {
		t.Fatal(err)
	}
	sealed[0].Metadata["tourniquet-key"] = stolen[0].Metadata["tourniquet-key"] // the other ring's id, to get past the look-up
	if _, err := theirs.Codec().Decode(sealed); err == nil || !strings.Contains(err.Error(), "does not open it") {
		t.Errorf("got %v", err)
	}
}

func TestEncryptedPayloadsAreEncryptedAgainAndNeverRepeatThemselves(t *testing.T) {
	t.Parallel()
	codec := newRing(t).Codec()
	once, err := codec.Encode([]*commonpb.Payload{{Data: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := codec.Encode(once)
	if err != nil {
		t.Fatal(err)
	}
	back, err := codec.Decode(twice)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(back[0], once[0]) {
		t.Error("one Decode should undo one Encode")
	}
	again, err := codec.Encode([]*commonpb.Payload{{Data: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(again[0].Data, once[0].Data) {
		t.Error("two encryptions are equal: the nonce repeats")
	}
}

func TestFailuresHideTheirWords(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	words := "the provider answered with a strange body"
	failure := seal.FailureConverter(ring).ErrorToFailure(temporal.NewApplicationErrorWithCause(words, "refused", errors.New(words), words))
	raw, err := proto.Marshal(failure)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("strange")) {
		t.Error("the words show in the stored failure")
	}
	back := seal.FailureConverter(ring).FailureToError(failure)
	if !strings.Contains(back.Error(), words) {
		t.Errorf("came back as %v", back)
	}
}

// A workflow that returns an activity's error passes the words through FailureToError and back.
func TestFailuresStayEncryptedWhenTheyArePassedOn(t *testing.T) {
	t.Parallel()
	conv := seal.FailureConverter(newRing(t))
	words := "the provider answered with a strange body"
	first := conv.ErrorToFailure(temporal.NewApplicationErrorWithCause(words, "refused", errors.New(words), words))
	for range 3 {
		before := proto.CloneOf(first)
		err := conv.FailureToError(first)
		if !proto.Equal(before, first) {
			t.Fatal("reading a failure changed it, and the SDK records it afterwards")
		}
		if !strings.Contains(err.Error(), words) {
			t.Fatalf("the words got lost: %v", err)
		}
		first = conv.ErrorToFailure(err)
		raw, marshalErr := proto.Marshal(first)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		if bytes.Contains(raw, []byte("strange")) {
			t.Fatal("the words of a passed-on failure are stored readable")
		}
	}
	if conv.FailureToError(nil) != nil || conv.ErrorToFailure(nil) != nil {
		t.Error("no failure should be no error, and the reverse")
	}
}

// FuzzDecode: whatever was not encrypted by this ring is refused, and nothing makes it panic.
func FuzzDecode(f *testing.F) {
	ring := newRing(f)
	genuine, err := ring.Codec().Encode([]*commonpb.Payload{{Data: []byte("genuine")}})
	if err != nil {
		f.Fatal(err)
	}
	id := genuine[0].Metadata["tourniquet-key"]
	f.Add([]byte(seal.Encoding), id, []byte("short"), 0)
	f.Add([]byte("json/plain"), id, []byte(`"x"`), 3)
	f.Add([]byte(seal.Encoding), []byte(nil), genuine[0].Data, 12)
	f.Add([]byte(nil), id, genuine[0].Data, 40)
	f.Fuzz(func(t *testing.T, encoding, key, data []byte, at int) {
		made := &commonpb.Payload{Metadata: map[string][]byte{"encoding": encoding, "tourniquet-key": key}, Data: data}
		if _, err := ring.Codec().Decode([]*commonpb.Payload{made}); err == nil {
			t.Fatal("a made-up payload was accepted")
		}
		changed := bytes.Clone(genuine[0].Data)
		changed[uint(at)%uint(len(changed))] ^= 1 << (uint(at) % 8) //nolint:gosec // wrapping is fine here
		made = &commonpb.Payload{Metadata: genuine[0].Metadata, Data: changed}
		if _, err := ring.Codec().Decode([]*commonpb.Payload{made}); err == nil {
			t.Fatal("a changed payload was accepted")
		}
	})
}
