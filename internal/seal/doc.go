// Package seal keeps secrets out of places where people and programs read: it encrypts the payloads that the workflow
// engine stores, seals stolen and new key values for our own database, signs decisions and blackens secrets in text.
//
// Everything rests on two small files that only their owner may read: the key ring (LoadOrCreate) and the signing key
// (LoadOrCreateSigner). The ring never encrypts with its keys directly. Every purpose has a key of its own, derived
// with HKDF-SHA256, so that a sealed secret pasted into a workflow payload, or the reverse, does not open.
//
// A lost ring cannot be replaced: payloads of running workflows and sealed secrets are then unreadable for good. Back it
// up apart from the databases. A caller that finds databases beside a missing ring should use Load, which refuses,
// and not LoadOrCreate, which would begin an empty life.
//
// The package imports the standard library and the converters of the Temporal SDK, nothing of ours.
package seal
