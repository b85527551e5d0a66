package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// chatBody is a chat completion as OpenAI words it; several proxies speak the same.
type chatBody struct {
	Model     string `json:"model"`
	MaxTokens int    `json:"max_completion_tokens"`
	Messages  []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
}

// readChat reads a chat and counts its words as tokens.
func readChat(body []byte) (chat chatBody, input, output int, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err = d.Decode(&chat); err == nil && len(chat.Messages) == 0 {
		err = errors.New("messages are missing")
	}
	for _, m := range chat.Messages {
		input += len(strings.Fields(m.Content))
	}
	if output = chat.MaxTokens; output <= 0 {
		output = 256
	}
	return chat, input, min(output, maxOutputTokens), err
}

// completion is the answer to a chat.
func completion(c *call, model string, input, output int) map[string]any {
	return map[string]any{
		"id": "chatcmpl-" + randomText(fullAlphabet, 20), "object": "chat.completion", "created": c.entry.T.Unix(), "model": model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": "Certainly."}}},
		"usage":   map[string]int{"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
	}
}
