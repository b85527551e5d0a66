package slack

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"
)

// Slack's limits, and our own smaller ones where Slack's are vague.
const (
	maxBlocks      = 50
	maxModalBlocks = 100
	maxSection     = 3000
	maxMessage     = 13000 // characters in all blocks of a message
	maxHeader      = 150
	maxButtonText  = 75
	maxValue       = 2000
	maxOption      = 150
	maxOptions     = 100
	maxID          = 255
	maxMetadata    = 3000
	maxAlt         = 2000
	maxModalTitle  = 24
	maxViewBytes   = 250 << 10
)

// fits says what in the blocks Slack would refuse, before anything is sent.
func fits(blocks []slackapi.Block, most int) error {
	if len(blocks) == 0 {
		return fmt.Errorf("a Slack message needs at least one block")
	}
	if len(blocks) > most {
		return fmt.Errorf("the message has %d blocks and Slack takes %d", len(blocks), most)
	}
	raw, err := json.Marshal(blocks)
	if err != nil {
		return fmt.Errorf("writing blocks for Slack: %w", err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return fmt.Errorf("reading blocks back: %w", err)
	}
	total := 0
	if err := measure(tree, "", &total); err != nil {
		return err
	}
	if most == maxBlocks && total > maxMessage {
		return fmt.Errorf("the message has %d characters and Slack takes about %d", total, maxMessage)
	}
	return nil
}

// bound is the longest text that a field may hold; 0 where Slack names none.
func bound(field string) int {
	switch field {
	case "value":
		return maxValue
	case "action_id", "block_id":
		return maxID
	case "url", "text":
		return maxSection
	case "alt_text":
		return maxAlt
	}
	return 0
}

func measure(node any, field string, total *int) error {
	switch v := node.(type) {
	case string:
		n := utf8.RuneCountInString(v)
		if most := bound(field); most > 0 && n > most {
			return fmt.Errorf("the %q of a Slack block has %d characters and Slack takes %d", field, n, most)
		}
		if field == "text" {
			*total += n
		}
	case []any:
		for _, item := range v {
			if err := measure(item, field, total); err != nil {
				return err
			}
		}
	case map[string]any:
		return measureObject(v, total)
	}
	return nil
}

func measureObject(v map[string]any, total *int) error {
	if v["type"] == "header" || v["type"] == "button" {
		most := maxHeader
		if v["type"] == "button" {
			most = maxButtonText
		}
		if t, ok := v["text"].(map[string]any); ok {
			if s, _ := t["text"].(string); utf8.RuneCountInString(s) > most {
				return fmt.Errorf("the text of a Slack %s has %d characters and Slack takes %d", v["type"], utf8.RuneCountInString(s), most)
			}
		}
	}
	for name, item := range v {
		if err := measure(item, name, total); err != nil {
			return err
		}
	}
	return nil
}
