// Package cards keeps every copy of a sign-off's card as the request stands in our records. Whoever changes a request
// (the gateway, an action, the clock) says so here, and never draws by itself: two who draw at once could leave an old
// card with buttons as the last word.
//
// It may import database, chat and signoff. To show something new on cards: put it into signoff.View and call Refresh.
package cards
