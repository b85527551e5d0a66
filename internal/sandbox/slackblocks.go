package sandbox

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

type slackBlock = map[string]any

// checkBlocks refuses what Slack refuses. It returns Slack's error code and the reason in words.
func checkBlocks(raw string, most int) (code, why string) {
	var blocks []slackBlock
	if json.Unmarshal([]byte(raw), &blocks) != nil {
		return "invalid_blocks_format", "blocks must be a JSON array of objects"
	}
	if len(blocks) > most {
		return "invalid_blocks", fmt.Sprintf("no more than %d items allowed [json-pointer:/blocks]", most)
	}
	total, ids := 0, map[string]bool{}
	for i, b := range blocks {
		why := checkBlock(b)
		if id, _ := b["block_id"].(string); id != "" {
			if ids[id] {
				why = "block_id is not unique"
			}
			ids[id] = true
		}
		if why != "" {
			return "invalid_blocks", fmt.Sprintf("%s [json-pointer:/blocks/%d]", why, i)
		}
		total += countText(b)
	}
	if most == 50 && total > 13200 {
		return "msg_blocks_too_long", fmt.Sprintf("blocks hold %d characters", total)
	}
	return "", ""
}

func checkBlock(b slackBlock) string {
	if n := length(b["block_id"]); n > 255 {
		return "block_id is longer than 255"
	}
	switch b["type"] {
	case "header":
		return checkText(b["text"], 150, true)
	case "section":
		if b["text"] == nil && b["fields"] == nil {
			return "a section needs text or fields"
		}
		return checkText(b["text"], 3000, false)
	case "rich_text":
		return checkRich(b["elements"])
	case "context":
		return checkContext(b["elements"])
	case "actions":
		return checkActions(b["elements"])
	case "input":
		if why := checkText(b["label"], 2000, true); why != "" {
			return why
		}
		element, _ := b["element"].(slackBlock)
		return checkElement(element)
	case "image":
		return checkImage(b)
	case "divider":
		return ""
	}
	return fmt.Sprintf("unsupported type: %v", b["type"])
}

func length(v any) int {
	s, _ := v.(string)
	return utf8.RuneCountInString(s)
}

func checkText(v any, most int, plain bool) string {
	t, ok := v.(slackBlock)
	if !ok {
		return "text is missing"
	}
	n := length(t["text"])
	switch {
	case t["type"] != "plain_text" && (plain || t["type"] != "mrkdwn"):
		return fmt.Sprintf("text type %v is not allowed here", t["type"])
	case n == 0:
		return "must be more than 0 characters"
	case n > most:
		return fmt.Sprintf("must be less than %d characters", most+1)
	}
	return ""
}

// checkRich walks rich_text elements, which must hold text and known types only.
func checkRich(v any) string {
	list, ok := v.([]any)
	if !ok {
		return "elements are missing"
	}
	for _, item := range list {
		e, _ := item.(slackBlock)
		switch e["type"] {
		case "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote":
			if why := checkRich(e["elements"]); why != "" {
				return why
			}
		case "text":
			if length(e["text"]) == 0 {
				return "text element must be more than 0 characters"
			}
		case "link":
			if n := length(e["url"]); n == 0 || n > 3000 {
				return "link url is missing or too long"
			}
		case "date", "emoji", "user", "usergroup", "channel", "broadcast":
		default:
			return fmt.Sprintf("unsupported rich text type: %v", e["type"])
		}
	}
	return ""
}

func checkContext(v any) string {
	list, _ := v.([]any)
	if len(list) == 0 || len(list) > 10 {
		return "context needs 1 to 10 elements"
	}
	for _, item := range list {
		if why := checkText(item, 2000, false); why != "" {
			return why
		}
	}
	return ""
}

func checkActions(v any) string {
	list, _ := v.([]any)
	if len(list) == 0 || len(list) > 25 {
		return "actions need 1 to 25 elements"
	}
	ids := map[any]bool{}
	for _, item := range list {
		e, _ := item.(slackBlock)
		if ids[e["action_id"]] {
			return "action_id is not unique"
		}
		ids[e["action_id"]] = true
		if why := checkElement(e); why != "" {
			return why
		}
	}
	return ""
}

func checkElement(e slackBlock) string {
	if n := length(e["action_id"]); n == 0 || n > 255 {
		return "action_id is missing or longer than 255"
	}
	switch e["type"] {
	case "button":
		if length(e["value"]) > 2000 {
			return "value is longer than 2000"
		}
		return checkText(e["text"], 75, true)
	case "static_select":
		options, _ := e["options"].([]any)
		if len(options) == 0 || len(options) > 100 {
			return "static_select needs 1 to 100 options"
		}
		for _, item := range options {
			o, _ := item.(slackBlock)
			if n := length(o["value"]); n == 0 || n > 150 {
				return "option value must have 1 to 150 characters"
			}
			if why := checkText(o["text"], 75, true); why != "" {
				return why
			}
		}
		return ""
	case "plain_text_input":
		return ""
	}
	return fmt.Sprintf("unsupported element type: %v", e["type"])
}

func countText(v any) int {
	n := 0
	switch x := v.(type) {
	case []any:
		for _, item := range x {
			n += countText(item)
		}
	case slackBlock:
		for name, item := range x {
			if s, ok := item.(string); ok && name == "text" {
				n += utf8.RuneCountInString(s)
			} else {
				n += countText(item)
			}
		}
	}
	return n
}

// withBlockIDs gives every block that has no id one of its own, as Slack does. The blocks were checked before.
func withBlockIDs(raw json.RawMessage) json.RawMessage {
	var blocks []slackBlock
	if json.Unmarshal(raw, &blocks) != nil {
		return raw
	}
	for _, b := range blocks {
		if id, _ := b["block_id"].(string); id == "" {
			b["block_id"] = randomText(fullAlphabet, 5)
		}
	}
	out, err := json.Marshal(blocks)
	if err != nil {
		return raw
	}
	return out
}
