// Package format gives playbooks and their tests one shape: two spaces a level, lists one level below their key, keys in
// the order of the language, one blank line where there were more, comments where they were. It moves lines and never
// writes values anew, and checks in the end that the file says what it said. It imports playbooks alone.
package format
