package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// maxNote bounds a note: it is a remark, not an attachment.
const maxNote = 8 << 10

// note appends a person's remark to the ledger of a run. Ended runs take notes too: that is when most are written.
func (p routeParams) note(w http.ResponseWriter, r *http.Request, person string) {
	var b struct{ Text string }
	if !read(w, r, &b) {
		return
	}
	text := strings.TrimSpace(b.Text)
	if text == "" || len(text) > maxNote {
		problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("a note has between 1 and %d bytes of text", maxNote))
		return
	}
	run, err := p.DB.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		problem(w, http.StatusNotFound, "there is no such run")
		return
	}
	now := time.Now()
	err = p.DB.Append(r.Context(), run.ID, database.Entry{
		ID: fmt.Sprintf("note/%s/%d", person, now.UnixNano()), Kind: "run.note", Actor: person, At: now, Body: map[string]string{"text": text},
	})
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "the note could not be written down; try again")
		return
	}
	reply(w, http.StatusCreated, map[string]string{"run_id": run.ID, "status": "noted"})
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
