package editor_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os/exec"
	"strconv"
	"testing"
)

// client is an editor: it speaks the language server protocol over the server's standard input and output.
type client struct {
	t    *testing.T
	ctx  context.Context
	in   io.Writer
	out  *bufio.Reader
	next int
	// diagnostics by document, the newest; looked at while waiting for something else
	marks map[string][]mark
}

// mark is one diagnostic.
type mark struct {
	Message  string
	Severity int
	Range    struct {
		Start, End struct{ Line, Character int }
	}
}

// item is one completion.
type item struct {
	Label         string
	InsertText    string
	Documentation json.RawMessage
}

type message struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct{ Message string }
}

func start(t *testing.T, server string) *client {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", server, "--stdio")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // the test's context ends it
	})
	c := &client{t: t, ctx: t.Context(), in: in, out: bufio.NewReader(out), marks: map[string][]mark{}}
	c.call("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": map[string]any{}}, nil)
	c.send("initialized", map[string]any{})
	return c
}

func (c *client) write(v map[string]any) {
	c.t.Helper()
	v["jsonrpc"] = "2.0"
	raw, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c.in, "Content-Length: %d\r\n\r\n%s", len(raw), raw); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) send(method string, params any) {
	c.t.Helper()
	c.write(map[string]any{"method": method, "params": params})
}

// call asks and waits for the answer, answering what the server asks meanwhile.
func (c *client) call(method string, params, result any) {
	c.t.Helper()
	c.next++
	id := strconv.Itoa(c.next)
	c.write(map[string]any{"id": c.next, "method": method, "params": params})
	c.until(func(m message) bool {
		if string(m.ID) != id || m.Method != "" {
			return false
		}
		if m.Error != nil {
			c.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				c.t.Fatalf("%s: %v in %s", method, err, m.Result)
			}
		}
		return true
	})
}

// until reads messages until one is the awaited one.
func (c *client) until(awaited func(message) bool) {
	c.t.Helper()
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("the language server went away: %v", err)
		}
		switch {
		case m.Method == "textDocument/publishDiagnostics":
			var p struct {
				URI         string
				Diagnostics []mark
			}
			if err := json.Unmarshal(m.Params, &p); err != nil {
				c.t.Fatal(err)
			}
			c.marks[p.URI] = p.Diagnostics
		case m.Method != "" && len(m.ID) > 0: // the server asks: nothing is configured
			c.write(map[string]any{"id": m.ID, "result": nil})
			continue
		}
		if awaited(m) {
			return
		}
	}
}

func (c *client) read() (message, error) {
	var m message
	head, err := textproto.NewReader(c.out).ReadMIMEHeader()
	if err != nil {
		return m, err
	}
	n, err := strconv.Atoi(head.Get("Content-Length"))
	if err != nil || n < 0 || n > 16<<20 {
		return m, errors.New("a message without a length")
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(c.out, raw); err != nil {
		return m, err
	}
	return m, json.Unmarshal(raw, &m)
}
