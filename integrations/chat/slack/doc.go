// Package slack asks and tells people through Slack: cards, review modals, questions, and the two doors (HTTP and
// Socket Mode) through which their answers come back. It decides nothing: every authenticated act goes to chat.Desk,
// which records it before it answers.
//
// Cards and modals are pure functions of a stored signoff.View, one file each. Whatever came from outside is
// plain_text or rich_text, never mrkdwn. It may import chat, signoff and slack-go. To add a message: one file with a
// pure function that returns blocks, and a method that posts them.
package slack
