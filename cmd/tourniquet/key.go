package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"
)

// mostKey bounds what is read as a key.
const mostKey = 8192

func (sh *shell) keyCmd() *cobra.Command {
	return online(group("key", "Keys that people make by hand", sh.keySealCmd()))
}

// keySealCmd takes the key from standard input alone: an argument would stand in the shell's history and in process lists.
func (sh *shell) keySealCmd() *cobra.Command {
	return &cobra.Command{
		Use: "seal QUESTION", Short: "Put a key that you made by hand under seal", Args: cobra.ExactArgs(1),
		Long: "Read one key from standard input and seal it for the run that waits for it. The key is not printed, logged or kept in\n" +
			"the clear anywhere; what the run gets is its handle. Which question waits says: tourniquet signoff list",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			if isTerminal(sh.In) {
				sh.talk("type or paste the key, then end the input (Ctrl-D):")
			}
			value, err := io.ReadAll(io.LimitReader(sh.In, mostKey+1))
			if err != nil || len(value) == 0 || len(value) > mostKey {
				return misuse("a key of at most %d bytes is expected on standard input", mostKey)
			}
			var got struct {
				Answer string `json:"answer"`
			}
			_, err = r.post(cmd.Context(), "/v1/questions/"+url.PathEscape(args[0])+"/key", map[string]string{"value": string(value)}, &got)
			clear(value)
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printJSON(map[string]any{"sealed": true, "question": args[0]})
			}
			_, err = fmt.Fprintln(sh.Out, got.Answer)
			return err
		},
	}
}
