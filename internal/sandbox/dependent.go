package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Dependent is a tiny honest application: it calls the model with whatever key value was deployed last.
type Dependent struct {
	Name string

	client *http.Client
	call   Call
	base   string
	mu     sync.Mutex
	value  string
	from   func() string // where it reads the value with every call; nil: as it was deployed
}

// NewDependent makes an application that runs with value. A nil client gets one with a time-out.
func NewDependent(name string, client *http.Client, call Call, base, value string) *Dependent {
	if client == nil {
		client = &http.Client{Timeout: 5 * time.Second}
	}
	return &Dependent{Name: name, client: client, call: call, base: base, value: value}
}

// Deploy restarts the application with another value.
func (d *Dependent) Deploy(value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.value = value
}

// From has the application read its key with every call instead of when it is started.
func (d *Dependent) From(read func() string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from = read
}

func (d *Dependent) key() string {
	d.mu.Lock()
	value, read := d.value, d.from
	d.mu.Unlock()
	if read != nil {
		return read()
	}
	return value
}

// Healthy makes one small model call and says in an error why the application does not work.
func (d *Dependent) Healthy(ctx context.Context) error {
	if status := d.call.do(ctx, d.client, d.base, d.key(), "dependent:"+d.Name, 8); status != http.StatusOK {
		return fmt.Errorf("the application %q does not work: the model API answered %d", d.Name, status)
	}
	return nil
}

// SHA256 identifies the deployed value without showing it.
func (d *Dependent) SHA256() string {
	sum := sha256.Sum256([]byte(d.key()))
	return hex.EncodeToString(sum[:])
}

// ServeHTTP answers a health check: 200 when a model call works with the deployed key, 503 otherwise.
func (d *Dependent) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if err := d.Healthy(r.Context()); err != nil {
		http.Error(rw, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(rw, "ok")
}
