package slack

import (
	"fmt"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

const mostButtons = 5

// QuestionCard draws a question: one button for each choice, or a menu when there are many. With an answer it has
// neither.
func QuestionCard(c chat.Choice, answer string) ([]slackapi.Block, error) {
	blocks := []slackapi.Block{
		slackapi.NewHeaderBlock(plain(cut("QUESTION · "+line(c.Title), maxHeader))),
		rich(section(text(cut(show(orWords(c.Prompt, c.Title)), maxSection-200)))),
	}
	blocks = append(blocks, alarmBlocks(c.Alarm)...)
	if answer != "" {
		blocks = append(blocks, titled("ANSWER", section(text(cut(show(answer), roomWords)))))
	} else {
		choices, err := choiceBlock(c)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, choices)
	}
	return append(blocks, footnote(
		cut("may answer: "+line(orWords(c.Who, "nobody named")), 300),
		cut(fmt.Sprintf("%s · question %s · run %s", line(orWords(c.Expires, "no deadline")), line(c.Request), line(c.Run)), 300))), nil
}

func choiceBlock(c chat.Choice) (slackapi.Block, error) {
	if len(c.Choices) == 0 {
		return nil, fmt.Errorf("question %q has no choices", c.Request)
	}
	if len(c.Choices) > maxOptions {
		return nil, fmt.Errorf("question %q has %d choices and Slack takes %d; answer it in the console", c.Request, len(c.Choices), maxOptions)
	}
	if len(c.Choices) > mostButtons {
		return choiceMenu(c)
	}
	var buttons []slackapi.BlockElement
	for i, choice := range c.Choices {
		value := route{Request: c.Request, Verb: verbAnswer, Answer: choice}.String()
		if utf8.RuneCountInString(value) > maxValue {
			return nil, fmt.Errorf("choice %d of question %q is too long for a Slack button", i+1, c.Request)
		}
		buttons = append(buttons, slackapi.NewButtonBlockElement(fmt.Sprintf("tourniquet_answer_%d", i), value, plain(cut(orNone(line(choice)), maxButtonText))))
	}
	return slackapi.NewActionBlock("", buttons...), nil
}

// choiceMenu carries the request in the block id, for an option's value is short.
func choiceMenu(c chat.Choice) (slackapi.Block, error) {
	block := route{Request: c.Request, Verb: verbAnswer}.String()
	if utf8.RuneCountInString(block) > maxID {
		return nil, fmt.Errorf("the id of question %q is too long for Slack", c.Request)
	}
	var options []*slackapi.OptionBlockObject
	for i, choice := range c.Choices {
		if n := utf8.RuneCountInString(choice); n > maxOption || n == 0 {
			return nil, fmt.Errorf("choice %d of question %q has %d characters and Slack takes 1 to %d in a menu", i+1, c.Request, n, maxOption)
		}
		options = append(options, slackapi.NewOptionBlockObject(choice, plain(cut(orNone(line(choice)), maxButtonText)), nil))
	}
	menu := slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeStatic, plain("Choose an answer"), "tourniquet_answer", options...)
	return slackapi.NewActionBlock(block, menu), nil
}
