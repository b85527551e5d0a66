package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/diag"

// Parse reads a file without checking it, for the fuzz target of the parser alone. It reports the number of nodes read.
func Parse(src []byte, w World) (int, []diag.Fault) {
	s := newSheet("x.yaml", src, w)
	if root := s.readYAML(); root != nil {
		s.readTop(root)
	}
	return len(s.nodes), s.faults
}
