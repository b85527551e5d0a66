package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// slackFile is a file on its way into the workspace, or there.
type slackFile struct {
	ID, Name, Alt string
	length        int // as it was announced
	body          []byte
	done          bool // completed: from then on cards may show it
}

const (
	slackMostFile = 4 << 20 // this workspace restricts uploads of large files
	slackMostAlt  = 1000    // of a file; a block takes twice as much
)

// uploadURL hands out a ticket for one file of one length.
func (s *Slack) uploadURL(a slackArgs) slackOut {
	length, err := strconv.Atoi(a.get("length"))
	switch {
	case err != nil || length < 1 || a.get("filename") == "":
		return slackRefuse("missing_argument")
	case length > slackMostFile:
		return slackRefuse("file_upload_size_restricted")
	case utf8.RuneCountInString(a.get("alt_txt")) > slackMostAlt:
		return slackRefuse("alt_txt_too_large")
	}
	f := &slackFile{ID: "F" + randomText("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 10), Name: a.get("filename"), Alt: a.get("alt_txt"), length: length}
	ticket := randomText(lowerAlphabet, 40)
	s.files[f.ID], s.uploads[ticket] = f, f
	return slackOut{"ok": true, "file_id": f.ID, "upload_url": "http://" + a.host + "/upload/v1/" + ticket}
}

// upload takes the bytes of one file, raw or as the part "file" of a form. A ticket is good for one upload.
func (s *Slack) upload(rw http.ResponseWriter, r *http.Request) {
	entry := Entry{Service: "slack", Method: r.Method, Path: "/upload/v1", Actor: ActorUnknown, Status: http.StatusOK}
	body, err := uploaded(r)
	s.mu.Lock()
	f := s.uploads[r.PathValue("ticket")]
	var why string
	switch {
	case f == nil:
		entry.Status, why = http.StatusNotFound, "unknown upload"
	case err != nil:
		entry.Status, why = http.StatusBadRequest, "unreadable upload"
	case len(body) != f.length:
		entry.Status, why = http.StatusBadRequest, fmt.Sprintf("%d bytes were announced and %d came", f.length, len(body))
	default:
		f.body = body
		delete(s.uploads, r.PathValue("ticket"))
		entry.Actor = ActorResponder
	}
	s.mu.Unlock()
	s.w.Record(entry)
	if why != "" {
		http.Error(rw, why, entry.Status)
		return
	}
	_, _ = fmt.Fprintf(rw, "OK - %d", len(body))
}

func uploaded(r *http.Request) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return io.ReadAll(io.LimitReader(r.Body, slackMostFile+1))
	}
	parts := multipart.NewReader(io.LimitReader(r.Body, slackMostFile+64<<10), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FormName() == "file" || part.FormName() == "filename" {
			return io.ReadAll(io.LimitReader(part, slackMostFile+1))
		}
	}
}

// completeUpload makes uploaded files part of the workspace, private to the app while they are shared with no channel.
func (s *Slack) completeUpload(a slackArgs) slackOut {
	var wanted []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if json.Unmarshal([]byte(a.get("files")), &wanted) != nil || len(wanted) == 0 {
		return slackRefuse("invalid_arguments")
	}
	if c := a.get("channel_id"); c != "" && s.channel(c) == nil {
		return slackRefuse("channel_not_found")
	}
	out := make([]slackOut, 0, len(wanted))
	for _, w := range wanted {
		if f := s.files[w.ID]; f == nil || f.body == nil {
			return slackRefuse("file_not_found")
		}
		out = append(out, slackOut{"id": w.ID, "title": w.Title})
	}
	for _, w := range wanted {
		s.files[w.ID].done = true
	}
	s.touch()
	return slackOut{"ok": true, "files": out}
}

// slackFileID is what an id of a file looks like, in Slack's own words when it refuses one.
var slackFileID = regexp.MustCompile(`^[F][A-Z0-9]{8,}$`)

// checkImage refuses what Slack refuses of an image block, short of looking for the file.
func checkImage(b slackBlock) string {
	if n := length(b["alt_text"]); n == 0 || n > 2000 {
		return "alt_text must have 1 to 2000 characters"
	}
	if b["title"] != nil {
		if why := checkText(b["title"], 2000, true); why != "" {
			return why
		}
	}
	file, _ := b["slack_file"].(slackBlock)
	address, _ := b["image_url"].(string)
	if (file == nil) == (address == "") {
		return "an image needs either image_url or slack_file"
	}
	if file == nil {
		if n := length(address); n > 3000 || !strings.HasPrefix(address, "http") {
			return "image_url is no address or longer than 3000"
		}
		return ""
	}
	id, _ := file["id"].(string)
	if file["url"] != nil || !slackFileID.MatchString(id) {
		return "input must match regex pattern: ^[F][A-Z0-9]{8,}$"
	}
	return ""
}

// checkFiles refuses pictures that the workspace does not have. The lock is held, and the blocks were checked.
func (s *Slack) checkFiles(raw string) string {
	var blocks []slackBlock
	_ = json.Unmarshal([]byte(raw), &blocks)
	for i, b := range blocks {
		file, _ := b["slack_file"].(slackBlock)
		if b["type"] != "image" || file == nil {
			continue
		}
		id, _ := file["id"].(string)
		f := s.files[id]
		if f == nil || !f.done {
			return fmt.Sprintf("invalid slack file [json-pointer:/blocks/%d/slack_file]", i)
		}
		if _, err := png.DecodeConfig(bytes.NewReader(f.body)); err != nil {
			return fmt.Sprintf("unsupported slack file type [json-pointer:/blocks/%d/slack_file]", i)
		}
	}
	return ""
}

// serveFile shows a picture to the page.
func (s *Slack) serveFile(rw http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.files[r.PathValue("id")]
	var body []byte
	if f != nil && f.done {
		body = f.body
	}
	s.mu.Unlock()
	if body == nil {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", "image/png")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = rw.Write(body)
}

// RemoveFile deletes a file, as a person of the workspace could.
func (s *Slack) RemoveFile(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, id)
	s.touch()
}
