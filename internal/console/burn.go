package console

import (
	"net/http"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
)

// watched is the newest alert of the watch among these; empty where the watch has nothing to say.
func watched(alerts []database.Received) string {
	for i := len(alerts) - 1; i >= 0; i-- {
		if alerts[i].Alert.Source == lookout.Source {
			return alerts[i].Alert.ID
		}
	}
	return ""
}

// burnChart draws what the watch saw when it raised an alert: the key's hours beside the usual ones. It is an image of its own, because
// the page's policy allows no styles in the markup.
func (c *Console) burnChart(w http.ResponseWriter, r *http.Request, s session) {
	f, err := c.DB.Finding(r.Context(), r.PathValue("id"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	found, err := lookout.Explain(f)
	if err != nil || !found.Drawable() {
		http.Error(w, "there is nothing to draw for this alert", http.StatusNotFound)
		return
	}
	svg, err := found.SVG()
	if err != nil {
		http.Error(w, "this alert cannot be drawn", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // of the image alone: it holds no foreign text
	_, _ = w.Write(svg)                                                                        //nolint:gosec // drawn here from numbers, and every text in it is escaped
}
