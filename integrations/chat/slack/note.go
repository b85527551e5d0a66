package slack

import (
	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

const mostNoteLines = 30

// NoteBlocks draws a plain message.
func NoteBlocks(n chat.Note) []slackapi.Block {
	var parts []slackapi.RichTextElement
	if n.Title != "" {
		parts = append(parts, section(bold(cut(line(n.Title), roomWords))))
	}
	for i, l := range n.Lines {
		if i == mostNoteLines {
			parts = append(parts, more(len(n.Lines)-i))
			break
		}
		parts = append(parts, section(text(cut(show(l), 380))))
	}
	if len(n.Ping) > 0 {
		var who []element
		for _, u := range n.Ping {
			who = append(who, slackapi.NewRichTextSectionUserElement(inert(u), nil), text(" "))
		}
		parts = append(parts, section(who...))
	}
	if len(parts) == 0 {
		parts = append(parts, section(text("(empty message)")))
	}
	return []slackapi.Block{rich(parts...)}
}
