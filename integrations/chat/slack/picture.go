package slack

import (
	"bytes"
	stdctx "context"
	"regexp"
	"slices"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const mostAlt = 900 // Slack takes 1,000 characters with a file and 2,000 in a block

// Picture uploads a PNG and gives back its id, by which cards show it. It is shared with no channel: only messages of this
// app can show it.
func (c *Chat) Picture(ctx stdctx.Context, name string, png []byte, words string) (string, error) {
	var to *slackapi.GetUploadURLExternalResponse
	err := c.call(ctx, "take a picture", func(ctx stdctx.Context) (err error) {
		to, err = c.api.GetUploadURLExternalContext(ctx, slackapi.GetUploadURLExternalParameters{FileName: name, FileSize: len(png), AltTxt: cut(line(words), mostAlt)})
		return err
	})
	if err != nil {
		return "", err
	}
	err = c.call(ctx, "read a picture", func(ctx stdctx.Context) error {
		return c.api.UploadToURL(ctx, slackapi.UploadToURLParameters{UploadURL: to.UploadURL, Reader: bytes.NewReader(png), Filename: name})
	})
	if err != nil {
		return "", err
	}
	err = c.call(ctx, "keep a picture", func(ctx stdctx.Context) error {
		_, err := c.api.CompleteUploadExternalContext(ctx, slackapi.CompleteUploadExternalParameters{Files: []slackapi.FileSummary{{ID: to.FileID, Title: name}}})
		return err
	})
	if err != nil {
		return "", err
	}
	return to.FileID, nil
}

var pictureID = regexp.MustCompile(`^F[A-Z0-9]{8,40}$`)

// alarmBlocks say what the watch saw before the run, and show it where the picture arrived.
func alarmBlocks(a *signoff.Alarm) []slackapi.Block {
	if a == nil {
		return nil
	}
	words := cut(line(orWords(a.Why, "the watch raised this alarm")), roomAlarm)
	blocks := []slackapi.Block{titled("ALARM", section(text(words)))}
	if pictureID.MatchString(a.Chart) {
		blocks = append(blocks, slackapi.NewImageBlockSlackFile(&slackapi.SlackFileObject{ID: a.Chart}, cut("What this key cost in each hour of three days, beside what is usual. "+words, mostAlt), "", nil))
	}
	return blocks
}

// pictureWaits are the times that a new message leaves Slack to look at a picture that it has just taken: until then a card that
// shows it is refused.
var pictureWaits = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}

// bare is the message without its pictures; ok is false where it has none.
func (m message) bare() (message, bool) {
	kept := slices.DeleteFunc(slices.Clone(m.blocks), func(b slackapi.Block) bool { return b.BlockType() == slackapi.MBTImage })
	ok := len(kept) < len(m.blocks)
	m.blocks = kept
	return m, ok
}

// unpictured goes on where Slack refused a message with a picture: after a moment for each of the waits, and then without it,
// for a card without its picture is better than no card.
func (c *Chat) unpictured(ctx stdctx.Context, m message, waits []time.Duration, refused error, again func(message) (chat.Delivery, error)) (chat.Delivery, error) {
	bare, pictured := m.bare()
	for _, wait := range waits {
		if !pictured || !refusedWith(refused, "invalid_blocks") {
			break
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return chat.Delivery{}, ctx.Err()
		}
		d, err := again(m)
		if err == nil {
			return d, nil
		}
		refused = err
	}
	if !pictured || !refusedWith(refused, "invalid_blocks") {
		return chat.Delivery{}, refused
	}
	c.log.WarnContext(ctx, "Slack does not show the picture of a card; the card goes without it", "request", inert(m.request), "reason", refused.Error())
	return again(bare)
}
