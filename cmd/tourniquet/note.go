package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// maxNote bounds a note: it is a remark, not an attachment.
const maxNote = 8 << 10

type noteIn struct {
	idIn
	Text string `json:"text"`
}

// note appends a person's remark to the ledger of a run. Ended runs take notes too: that is when most are written.
func (p routeParams) note(ctx context.Context, who api.Caller, in noteIn) (runStatus, error) {
	text := strings.TrimSpace(in.Text)
	if text == "" || len(text) > maxNote {
		return runStatus{}, api.Malformed(fmt.Sprintf("a note has between 1 and %d bytes of text", maxNote))
	}
	run, err := p.DB.Run(ctx, in.ID)
	if err != nil {
		return runStatus{}, noRun(err)
	}
	now := time.Now()
	err = p.DB.Append(ctx, run.ID, database.Entry{
		ID: fmt.Sprintf("note/%s/%d", who.Person.ID, now.UnixNano()), Kind: "run.note", Actor: who.Person.ID, At: now, Body: map[string]string{"text": text},
	})
	if err != nil {
		return runStatus{}, away("the note could not be written down; try again")
	}
	return runStatus{run.ID, "noted"}, nil
}

func (sh *shell) runNoteCmd() *cobra.Command {
	text := ""
	c := &cobra.Command{Use: "note RUN --text TEXT", Short: "Add a remark to the ledger of a run, also after its end", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(text) == "" {
				return misuse("a note needs --text")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			raw, err := r.post(cmd.Context(), runPath(args[0], "note"), map[string]string{"text": text}, nil)
			if err != nil || sh.JSON {
				return errors.Join(err, sh.rawUnless(err, raw))
			}
			return sh.say("noted in the ledger of %s", args[0])
		}}
	c.Flags().StringVar(&text, "text", "", "the remark")
	return c
}
