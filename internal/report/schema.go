package report

import _ "embed"

// Schema names the version of the JSON report. Fields may be added under the same name; none is renamed or taken away.
const Schema = "tourniquet/report/v1"

//go:embed report.schema.json
var schemaFile []byte

// SchemaFile is the JSON Schema of the report.
func SchemaFile() []byte { return schemaFile }
