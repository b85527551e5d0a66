package seal

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// Encoding marks a payload that this package encrypted.
const Encoding = "binary/tourniquet-aesgcm"

// metadataKeyID names the key, in the clear: without it a ring of several keys would have to guess.
const metadataKeyID = "tourniquet-key"

// codec encrypts every payload and opens nothing that it did not encrypt. Sample codecs pass unknown payloads through;
// that would let anyone who can reach the engine speak to a workflow in plain text.
type codec struct{ ring *Ring }

// Codec encrypts and decrypts the payloads that the workflow engine stores.
func (r *Ring) Codec() converter.PayloadCodec { return codec{ring: r} }

// DataConverter is the SDK's default converter behind the ring's codec.
func DataConverter(r *Ring) converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), r.Codec())
}

// Encode encrypts all payloads, also those that look encrypted: what a caller hands in is never trusted to be sealed.
func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("writing payload %d before it is encrypted: %w", i+1, err)
		}
		id := c.ring.active
		data, err := encrypt(c.ring.payloads[id], plain, payloadBinding(id))
		clear(plain)
		if err != nil {
			return nil, fmt.Errorf("encrypting payload %d: %w", i+1, err)
		}
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(Encoding), metadataKeyID: []byte(id)},
			Data:     data,
		}
	}
	return out, nil
}

// Decode decrypts all payloads and refuses the whole list when one of them is not encrypted by this ring.
func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := c.open(p)
		if err != nil {
			return nil, fmt.Errorf("payload %d of %d: %w", i+1, len(payloads), err)
		}
		out[i] = plain
	}
	return out, nil
}

func (c codec) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	if enc := string(p.GetMetadata()[converter.MetadataEncoding]); enc != Encoding {
		return nil, fmt.Errorf("it has the encoding %q, and only %q is accepted: it does not come from this installation",
			short(enc), Encoding)
	}
	id := string(p.GetMetadata()[metadataKeyID])
	gcm, ok := c.ring.payloads[id]
	if !ok {
		return nil, fmt.Errorf("it was encrypted with the key %q, which is not in the key ring", short(id))
	}
	plain, ok := decrypt(gcm, p.GetData(), payloadBinding(id))
	if !ok {
		return nil, fmt.Errorf("the key %q does not open it: it was changed, or belongs to another installation", id)
	}
	defer clear(plain)
	out := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, out); err != nil {
		return nil, fmt.Errorf("it opens with the key %q but holds no payload", id)
	}
	return out, nil
}

func payloadBinding(id string) []byte { return []byte(forPayloads + "\x00" + Encoding + "\x00" + id) }

// short keeps foreign text in errors to a length that a log line can bear.
func short(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}
