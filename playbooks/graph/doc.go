// Package graph draws a program: as SVG for docs, editors and the console, and as Mermaid for pages that draw it
// themselves. What an action does to the world is told by shape and by colour; a sign-off is a striped bar with the names
// of those who sign, on a frame around exactly what they sign. With the status of each step it shows the road that a run
// took. It is pure: the same program gives the same bytes. It imports playbooks and signoff alone.
package graph
