package slack

import (
	"bytes"
	stdctx "context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// ear is where one person can be told something privately.
type ear struct {
	channel, user string
	url           string // Slack's response_url of this very act: five uses within half an hour, so never the first way
}

// whisper tells one person something privately: in the channel, by the act's own address where the app is not in that
// channel, or by direct message.
func (c *Chat) whisper(ctx stdctx.Context, to ear, words string) {
	if strings.TrimSpace(words) == "" {
		words = "Recorded."
	}
	options := []slackapi.MsgOption{slackapi.MsgOptionText("Answer from Tourniquet", true), slackapi.MsgOptionBlocks(wordsBlocks(words)...)}
	if to.channel != "" {
		err := c.call(ctx, "answer privately", func(ctx stdctx.Context) error {
			_, err := c.api.PostEphemeralContext(ctx, to.channel, to.user, options...)
			return err
		})
		if err == nil {
			return
		}
	}
	if to.url != "" && c.respond(ctx, to.url, words) == nil {
		return
	}
	if _, err := c.Tell(ctx, chat.Note{Person: to.user, Lines: strings.Split(words, "\n")}); err != nil {
		c.log.WarnContext(ctx, "a person could not be answered", "user", inert(to.user), "reason", err.Error())
	}
}

// respond answers by response_url. The address came with an authenticated act, and still only Slack's own is used.
func (c *Chat) respond(ctx stdctx.Context, address string, words string) error {
	return c.call(ctx, "answer by response_url", func(ctx stdctx.Context) error {
		if !c.slacksOwn(address) {
			return fmt.Errorf("the response_url is not an address of Slack")
		}
		body, err := json.Marshal(map[string]any{"response_type": "ephemeral", "replace_original": false, "text": "Answer from Tourniquet", "blocks": wordsBlocks(words)})
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := c.client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		var said struct {
			OK    *bool  `json:"ok"`
			Error string `json:"error"`
		}
		raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		if err != nil {
			return err
		}
		_ = json.Unmarshal(raw, &said) // Slack also answers with the bare word ok
		if res.StatusCode != http.StatusOK || said.OK != nil && !*said.OK {
			return slackapi.SlackErrorResponse{Err: inert(orWords(said.Error, fmt.Sprintf("status_%d", res.StatusCode)))}
		}
		return nil
	})
}

func (c *Chat) slacksOwn(address string) bool {
	at, err := url.Parse(address)
	if err != nil || at.User != nil {
		return false
	}
	if base, err := url.Parse(c.cfg.BaseURL); err == nil && base.Host != "" {
		return at.Scheme == base.Scheme && at.Host == base.Host
	}
	return at.Scheme == "https" && at.Host == "hooks.slack.com"
}

func wordsBlocks(words string) []slackapi.Block {
	var blocks []slackapi.Block
	for _, piece := range pieces(show(orWords(words, "Done.")), roomPiece) {
		if len(blocks) == 4 { // enough for a screen, and below the size that Socket Mode drops
			blocks = append(blocks, footnote("There is more in the console."))
			break
		}
		blocks = append(blocks, rich(section(text(piece))))
	}
	return blocks
}
