package slack

import (
	"fmt"
	"strings"

	slackapi "github.com/slack-go/slack"
)

// Text is a message of blocks as plain text, for places without Slack: what stands where, and the words of buttons.
func Text(blocks []slackapi.Block) string {
	var b strings.Builder
	for _, block := range blocks {
		switch x := block.(type) {
		case *slackapi.HeaderBlock:
			fmt.Fprintf(&b, "== %s ==\n", x.Text.Text)
		case *slackapi.ContextBlock:
			for _, e := range x.ContextElements.Elements {
				if t, ok := e.(*slackapi.TextBlockObject); ok {
					fmt.Fprintf(&b, "   %s\n", t.Text)
				}
			}
		case *slackapi.RichTextBlock:
			for _, e := range x.Elements {
				richText(&b, e)
			}
		case *slackapi.SectionBlock:
			if x.Text != nil {
				fmt.Fprintf(&b, "%s\n", x.Text.Text)
			}
		case *slackapi.ImageBlock:
			fmt.Fprintf(&b, "[picture: %s]\n", x.AltText)
		case *slackapi.DividerBlock:
			b.WriteString("----\n")
		case *slackapi.ActionBlock:
			b.WriteString(buttons(x) + "\n")
		}
	}
	return b.String()
}

func richText(b *strings.Builder, e slackapi.RichTextElement) {
	switch x := e.(type) {
	case *slackapi.RichTextSection:
		b.WriteString(inline(x.Elements) + "\n")
	case *slackapi.RichTextList:
		for i, item := range x.Elements {
			mark := "-"
			if x.Style == slackapi.RTEListOrdered {
				mark = fmt.Sprintf("%d.", i+1)
			}
			if s, ok := item.(*slackapi.RichTextSection); ok {
				fmt.Fprintf(b, "  %s %s\n", mark, inline(s.Elements))
			}
		}
	}
}

func inline(elements []slackapi.RichTextSectionElement) string {
	var b strings.Builder
	for _, e := range elements {
		switch x := e.(type) {
		case *slackapi.RichTextSectionTextElement:
			b.WriteString(x.Text)
		case *slackapi.RichTextSectionLinkElement:
			b.WriteString(x.Text + " <" + x.URL + ">")
		case *slackapi.RichTextSectionDateElement:
			b.WriteString("in the reader's zone")
		case *slackapi.RichTextSectionUserElement:
			b.WriteString("@" + x.UserID)
		}
	}
	return b.String()
}

func buttons(x *slackapi.ActionBlock) string {
	var words []string
	for _, e := range x.Elements.ElementSet {
		if button, ok := e.(*slackapi.ButtonBlockElement); ok {
			words = append(words, "[ "+button.Text.Text+" ]")
		}
	}
	return strings.Join(words, "  ")
}
