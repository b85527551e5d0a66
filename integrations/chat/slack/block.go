package slack

import (
	"net/url"
	"time"

	slackapi "github.com/slack-go/slack"
)

type element = slackapi.RichTextSectionElement

func plain(s string) *slackapi.TextBlockObject {
	no := false
	return &slackapi.TextBlockObject{Type: slackapi.PlainTextType, Text: s, Emoji: &no}
}

func text(s string) element {
	if s == "" {
		s = " " // Slack refuses an empty element
	}
	return slackapi.NewRichTextSectionTextElement(s, nil)
}

func bold(s string) element {
	if s == "" {
		s = "(none)" // Slack refuses an empty element
	}
	return slackapi.NewRichTextSectionTextElement(s, &slackapi.RichTextSectionTextStyle{Bold: true})
}

func code(s string) element {
	if s == "" {
		s = "(none)"
	}
	return slackapi.NewRichTextSectionTextElement(s, &slackapi.RichTextSectionTextStyle{Code: true})
}

func italic(s string) element {
	return slackapi.NewRichTextSectionTextElement(s, &slackapi.RichTextSectionTextStyle{Italic: true})
}

func section(elements ...element) *slackapi.RichTextSection {
	return slackapi.NewRichTextSection(elements...)
}

func rich(elements ...slackapi.RichTextElement) slackapi.Block {
	return slackapi.NewRichTextBlock("", elements...)
}

func list(style slackapi.RichTextListElementType, items []*slackapi.RichTextSection) slackapi.RichTextElement {
	elements := make([]slackapi.RichTextElement, len(items))
	for i, item := range items {
		elements[i] = item
	}
	return slackapi.NewRichTextList(style, 0, elements...)
}

func bullets(items []*slackapi.RichTextSection) slackapi.RichTextElement {
	return list(slackapi.RTEListBullet, items)
}

func footnote(lines ...string) slackapi.Block {
	elements := make([]slackapi.MixedElement, len(lines))
	for i, l := range lines {
		elements[i] = plain(l)
	}
	return slackapi.NewContextBlock("", elements...)
}

// moment shows a time in UTC and, by Slack's own date element, in the reader's zone.
func moment(t time.Time) []element {
	utc := t.UTC().Format("2006-01-02 15:04 UTC")
	return []element{
		bold(utc), text(" ("),
		slackapi.NewRichTextSectionDateElement(t.Unix(), "{date_short_pretty} {time}", nil, &utc),
		text(" your time)"),
	}
}

// link is a link element when the address is plain http or https, and text when it is anything else.
func link(address, words string) element {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || len(address) > 3000 {
		return text(cut(line(address), roomLine))
	}
	return slackapi.NewRichTextSectionLinkElement(address, words, nil)
}
