package playbooks

import "embed"

// Library holds the shipped playbooks, library/<id>.yaml.
//
//go:embed library/*.yaml
var Library embed.FS
