package sandbox

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ticket asks for an upload of so many bytes.
func (tn *slackTown) ticket(length int) (file, address string) {
	tn.Helper()
	res, err := http.PostForm(tn.url+"/api/files.getUploadURLExternal", url.Values{"token": {tn.slack.creds.Token}, "filename": {"a.png"}, "length": {strconv.Itoa(length)}})
	if err != nil {
		tn.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		OK      bool
		FileID  string `json:"file_id"`
		Address string `json:"upload_url"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || !got.OK {
		tn.Fatalf("%+v, %v", got, err)
	}
	return got.FileID, got.Address
}

// give uploads raw bytes, or the part of a form, and returns the status.
func (tn *slackTown) give(address string, body []byte, form bool) int {
	tn.Helper()
	kind, sent := "application/octet-stream", body
	if form {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreateFormFile("file", "a.png")
		if err != nil {
			tn.Fatal(err)
		}
		_, _ = part.Write(body)
		_ = w.Close()
		kind, sent = w.FormDataContentType(), b.Bytes()
	}
	res, err := http.Post(address, kind, bytes.NewReader(sent))
	if err != nil {
		tn.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func (tn *slackTown) complete(file string) string {
	tn.Helper()
	return tn.ask("files.completeUploadExternal", tn.slack.creds.Token, map[string]string{"files": `[{"id":"` + file + `","title":"a"}]`})
}

func (tn *slackTown) showPicture(file string) string {
	tn.Helper()
	block := map[string]any{"type": "image", "alt_text": "a chart", "slack_file": map[string]string{"id": file}}
	return tn.ask("chat.postMessage", tn.slack.creds.Token, map[string]string{"channel": tn.slack.creds.Channel, "text": "x", "blocks": slackJSON(tn.T, []any{block})})
}

func TestAPictureIsAnnouncedUploadedCompletedAndThenShown(t *testing.T) {
	t.Parallel()
	for _, form := range []bool{true, false} {
		tn := newSlackTown(t)
		body := picture(t)
		file, address := tn.ticket(len(body))
		if code := tn.complete(file); code != "file_not_found" {
			t.Errorf("a file that was not uploaded was completed: %q", code)
		}
		if status := tn.give(address, body[1:], form); status != http.StatusBadRequest {
			t.Errorf("a file of another length than announced gave status %d", status)
		}
		if status := tn.give(address, body, form); status != http.StatusOK {
			t.Fatalf("the upload gave status %d", status)
		}
		if status := tn.give(address, body, form); status != http.StatusNotFound {
			t.Errorf("a ticket was used twice: status %d", status)
		}
		if code := tn.showPicture(file); code != "invalid_blocks" {
			t.Errorf("a file that was not completed was shown: %q", code)
		}
		if code := tn.complete(file); code != "" {
			t.Fatalf("completing: %q", code)
		}
		if code := tn.showPicture(file); code != "" {
			t.Errorf("showing: %q", code)
		}
		res, err := http.Get(tn.url + "/files/" + file)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if !bytes.Equal(got, body) || res.Header.Get("Content-Type") != "image/png" {
			t.Errorf("the page gets %d bytes of %q", len(got), res.Header.Get("Content-Type"))
		}
		tn.slack.RemoveFile(file)
		if code := tn.showPicture(file); code != "invalid_blocks" {
			t.Errorf("a file that somebody deleted was shown: %q", code)
		}
	}
}

func TestSandboxSlackRefusesFilesAsSlackDoes(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	token := tn.slack.creds.Token
	for name, c := range map[string]struct {
		fields map[string]string
		want   string
	}{
		"no length": {map[string]string{"filename": "a.png"}, "missing_argument"},
		"no bytes":  {map[string]string{"filename": "a.png", "length": "0"}, "missing_argument"},
		"no name":   {map[string]string{"length": "5"}, "missing_argument"},
		"too large": {map[string]string{"filename": "a.png", "length": "999999999"}, "file_upload_size_restricted"},
		"long words": {map[string]string{"filename": "a.png", "length": "5", "alt_txt": strings.Repeat("x", 1001)},
			"alt_txt_too_large"},
	} {
		if code := tn.ask("files.getUploadURLExternal", token, c.fields); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	if status := tn.give(tn.url+"/upload/v1/nothing", []byte("x"), false); status != http.StatusNotFound {
		t.Errorf("an unknown upload gave status %d", status)
	}
	if code := tn.complete("F0UNKNOWN00"); code != "file_not_found" {
		t.Errorf("an unknown file was completed: %q", code)
	}
	if code := tn.showPicture("nonsense"); code != "invalid_blocks" {
		t.Errorf("a picture without an id was shown: %q", code)
	}
	words := []byte("these are words")
	file, address := tn.ticket(len(words))
	if tn.give(address, words, false) != http.StatusOK || tn.complete(file) != "" || tn.showPicture(file) != "invalid_blocks" {
		t.Error("a file that is no picture was shown as one")
	}
	tn.slack.RemoveScope("files:write")
	if code := tn.ask("files.getUploadURLExternal", token, map[string]string{"filename": "a.png", "length": "5"}); code != "missing_scope" {
		t.Errorf("without the scope: %q", code)
	}
	if code := tn.complete(file); code != "missing_scope" {
		t.Errorf("without the scope: %q", code)
	}
}
