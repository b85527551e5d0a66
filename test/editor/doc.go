// Package editor shows what an author sees while typing: the real yaml-language-server, started as editors start it, is
// given the schema that `tourniquet playbook schema` prints. test/setup.sh installs the server, pinned by the lock file here.
package editor
