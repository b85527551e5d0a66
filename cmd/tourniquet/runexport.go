package main

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/report"
)

func (sh *shell) runTimelineCmd() *cobra.Command {
	format := ""
	c := &cobra.Command{Use: "timeline RUN", Short: "What happened in a run, entry by entry, as text, CSV or JSON", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format == "" && sh.JSON {
				format = "json"
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			from := runPath(args[0], "timeline")
			switch format {
			case "csv":
				body, err := r.get(cmd.Context(), from+"?format=csv", nil)
				if err != nil {
					return err
				}
				_, err = sh.Out.Write(body)
				return err
			case "", "text", "json":
			default:
				return misuse("-f takes text, csv or json, not %q", format)
			}
			var list page[report.Moment]
			raw, err := r.get(cmd.Context(), from, &list)
			if err != nil {
				return err
			}
			if format == "json" {
				return sh.printRaw(raw)
			}
			rows := make([][]string, 0, len(list.Items))
			for _, m := range list.Items {
				rows = append(rows, []string{strconv.FormatInt(m.Seq, 10), stamp(m.At), m.Since, m.Lane, m.Actor, m.Say})
			}
			return sh.table([]string{"#", "UTC", "SINCE", "LANE", "ACTOR", "WHAT"}, rows)
		}}
	c.Flags().StringVarP(&format, "format", "f", "", "text, csv (safe for spreadsheets) or json")
	return c
}

func (sh *shell) runRefundCmd() *cobra.Command {
	out := ""
	c := &cobra.Command{Use: "refund RUN --out FILE", Short: "Save the pack for the provider's billing support: times, key, calls and cost after the compromise, signed",
		Long: "Save the pack for the provider's billing support. It is a signed bundle that tells refund.md, refund.json, refund.csv and the provider's own answers about usage, and withholds everything else; \"tourniquet evidence verify\" checks it. That it was made is an entry of the run's ledger.",
		Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return misuse("the pack needs --out, for example --out refund.zip")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			n, err := save(out, func(w io.Writer) (int64, error) { return r.load(cmd.Context(), runPath(args[0], "refund"), w) })
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printJSON(map[string]any{"run_id": args[0], "file": out, "bytes": n})
			}
			return sh.say("%s", out)
		}}
	c.Flags().StringVar(&out, "out", "", "file to write")
	return c
}

func (sh *shell) runSchemaCmd() *cobra.Command {
	return &cobra.Command{Use: "schema", Short: "Print the JSON Schema of the report; needs no server", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		_, err := sh.Out.Write(report.SchemaFile())
		return err
	}}
}
