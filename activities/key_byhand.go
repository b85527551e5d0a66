package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// mostSeals bounds how often people are asked for one key: each time what they sealed was not it.
const mostSeals = 20

// byHand is the creation of a key that only a person can make. It asks for the key, and says that the call waits until
// somebody has put it into the sealed form; the answer to the question is the handle, never the key. What was sealed is
// held against the provider: it must be one living key, and not the stolen one.
func byHand(ctx context.Context, h *House, in In, p keys.Provider, like incident.Key, c keys.Capability) (Output, error) {
	wrong := ""
	for n := 1; n <= mostSeals; n++ {
		id := keyQuestion(in, n)
		q, err := h.DB.Question(ctx, id)
		switch {
		case database.IsNotFound(err):
			return Output{}, waits(errors.Join(h.DB.ForgetUndo(ctx, in.Run, in.Step), h.askForKey(ctx, in, id, like, c, wrong)), c)
		case err != nil:
			return Output{}, err
		case !q.Answered():
			return Output{}, waits(h.DB.ForgetUndo(ctx, in.Run, in.Step), c) // nothing was made yet that could be taken back
		}
		k, why, err := h.sealedKey(ctx, p, like, q)
		if err != nil {
			return Output{}, err
		}
		if why == "" {
			text := fmt.Sprintf("%s made the key %s by hand (%s) and sealed it", q.By, k.ID, k.Hint)
			return Output{Summary: text, Target: named(k), Left: leftKey(k), Values: map[string]any{"key": k, "summary": text}}, nil
		}
		wrong = why
	}
	return Output{}, keys.Permanent(fmt.Errorf("what was sealed as the new key was %d times none: %s", mostSeals, wrong))
}

// waits says that nothing was sent yet: the call is tried again until its approval lapses.
func waits(err error, c keys.Capability) error {
	if err != nil {
		return err
	}
	return temporal.NewApplicationError("a person has to make the key in "+c.ByHand+" and put it into the sealed form", wire.ErrWait)
}

// keyQuestion names the n-th question for the key of one step.
func keyQuestion(in In, n int) string {
	sum := sha256.Sum256([]byte(in.Run + "\n" + in.Step))
	return fmt.Sprintf("k-%s-%s-%d", in.Run, hex.EncodeToString(sum[:4]), n)
}

// askForKey opens the question and tells the responders, in chat or another way.
func (h *House) askForKey(ctx context.Context, in In, id string, like incident.Key, c keys.Capability, wrong string) error {
	lines := []string{
		"Make a key in place of " + like.Target() + " (" + like.Hint + ") in " + c.ByHand + ".",
		"Then put it into the sealed form, and nowhere else: " + h.keyForm(id),
		"Without a browser: tourniquet key seal " + id + ", with the key on standard input.",
	}
	if wrong != "" {
		lines = append([]string{"What was sealed before was not taken: " + wrong}, lines...)
	}
	q := database.Question{ID: id, Run: in.Run, Step: in.Step, Kind: database.QuestionKey, From: h.Policy.Responders, Prompt: strings.Join(lines, "\n")}
	if err := h.DB.PutQuestion(ctx, q); err != nil {
		return err
	}
	h.ledger(ctx, in.Run, "key.awaited", in.Step, "awaited/"+id, map[string]any{"question": id, "by_hand": c.ByHand, "refused_before": wrong})
	const subject = "A key has to be made by hand"
	if h.Chat == nil {
		return h.otherwise(ctx, in.Run, id, subject, "chat is not configured")
	}
	if _, err := h.Chat.Tell(ctx, chat.Note{Title: subject, Lines: lines, Ping: h.pinged([]string{h.Policy.Responders}, func(string) bool { return false })}); err != nil {
		return h.otherwise(ctx, in.Run, id, subject, err.Error())
	}
	return nil
}

func (h *House) keyForm(id string) string {
	if h.Console == "" {
		return "/questions/" + id + " in the console"
	}
	return h.Console + "/questions/" + id
}

// SealedAnswer is the answer to a question for a key: the handle and version under which it was sealed.
func SealedAnswer(ref incident.SecretRef) string { return ref.Handle + "#" + strconv.Itoa(ref.Version) }

// sealedKey finds what was sealed at the provider; why says that it is not what was asked for, and then it is shredded.
func (h *House) sealedKey(ctx context.Context, p keys.Provider, like incident.Key, q database.Question) (k incident.Key, why string, err error) {
	handle, version, _ := strings.Cut(q.Answer, "#")
	n, err := strconv.Atoi(version)
	if err != nil {
		return k, "the record of it cannot be read", nil
	}
	ref := incident.SecretRef{Handle: handle, Version: n}
	secret, err := h.DB.OpenSealed(ctx, ref)
	if err != nil {
		return k, "it was not one living key of this account", nil // an earlier look shredded it
	}
	defer clear(secret)
	found, err := p.Identify(ctx, incident.Clue{}, secret)
	if err != nil {
		return k, "", err
	}
	switch {
	case len(found) == 0:
		why = "the provider knows no such key in this account"
	case len(found) > 1:
		why = fmt.Sprintf("it fits %d keys of this account, so nobody can tell which it is; make another", len(found))
	case found[0].ID == like.ID:
		why = "it is the stolen key itself"
	}
	if why == "" {
		got, err := p.Probe(ctx, found[0], secret)
		if err != nil {
			return k, "", err
		}
		if got.State == keys.ProbeRefused {
			why = "the provider refuses it: " + got.Detail
		}
	}
	if why != "" {
		return k, why, h.DB.Shred(ctx, handle)
	}
	k = found[0]
	k.Provider, k.Account, k.Owner, k.Secret, k.Dependents = like.Provider, like.Account, like.Owner, &ref, []incident.Dependent{}
	return k, "", nil
}
