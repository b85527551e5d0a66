package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Config is tourniquet.yaml.
type Config struct {
	Mode         string                  `yaml:"mode"` // observe or enforce
	Server       Server                  `yaml:"server"`
	Temporal     Temporal                `yaml:"temporal"`
	Database     Database                `yaml:"database"`
	Evidence     Evidence                `yaml:"evidence"`
	Encryption   Encryption              `yaml:"encryption"`
	Slack        *Slack                  `yaml:"slack"`
	GitHub       *GitHub                 `yaml:"github"`
	Providers    Providers               `yaml:"providers"`
	SecretStores SecretStores            `yaml:"secret_stores"`
	References   References              `yaml:"references"`
	Sources      map[string]Source       `yaml:"sources"`
	People       []Person                `yaml:"people"`
	Groups       map[string]people.Group `yaml:"groups"`
	Policy       signoff.Policy          `yaml:"policy"`
	Playbooks    Playbooks               `yaml:"playbooks"`
	Inventory    Inventory               `yaml:"inventory"`
	Watch        Watch                   `yaml:"watch"`
	Notify       Notify                  `yaml:"notify"`
	Outbound     Outbound                `yaml:"outbound"`
	Tracing      Tracing                 `yaml:"tracing"`

	Path string `yaml:"-"` // of the file; relative paths in it start here
	Text []byte `yaml:"-"` // of the file, for the places of faults
}

// Server is where we listen and keep our data.
type Server struct {
	Listen  string           `yaml:"listen"`   // host:port
	DataDir string           `yaml:"data_dir"` // keys, databases, evidence
	Drain   signoff.Duration `yaml:"drain"`    // how long /readyz says "closing" before the doors close
	URL     string           `yaml:"url"`      // how people reach the console; default http://<listen>
	TLS     *DoorTLS         `yaml:"tls"`      // PEM files; without them a proxy in front speaks TLS
	OIDC    *SignIn          `yaml:"oidc"`     // how people sign in to the console beside personal tokens
}

// SignIn is the OIDC provider with which people sign in to the console.
type SignIn struct {
	Name         string            `yaml:"name"`   // on the button
	Issuer       string            `yaml:"issuer"` // https, or http on loopback
	ClientID     string            `yaml:"client_id"`
	ClientSecret Secret            `yaml:"client_secret"` // empty: a public client; PKCE is always used
	Scopes       []string          `yaml:"scopes"`        // beside openid and profile
	GroupsClaim  string            `yaml:"groups_claim"`  // default groups
	Roles        map[string]string `yaml:"roles"`         // group of the provider: role here; with it, roles come from the provider alone
}

// DoorTLS makes our own doors speak TLS.
type DoorTLS struct {
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"` // who issues client certificates of sources; empty: none are asked for
}

// Temporal is the workflow engine.
type Temporal struct {
	Mode      string `yaml:"mode"` // embedded (default) or external
	Address   string `yaml:"address"`
	Namespace string `yaml:"namespace"`
	Database  Secret `yaml:"database_url"` // of the embedded engine: a PostgreSQL in place of a file in the data directory
	APIKey    Secret `yaml:"api_key"`
	TLS       *TLS   `yaml:"tls"`

	UIOrigins []string `yaml:"ui_origins"` // of Temporal's own pages, which may have payloads opened; default: none
}

// TLS names PEM files.
type TLS struct {
	Cert, Key, CA string
	ServerName    string `yaml:"server_name"`
}

// Database is where our own records live.
type Database struct {
	Driver string `yaml:"driver"` // sqlite (default) or postgres
	URL    Secret `yaml:"url"`    // of postgres; it holds a password
}

// Evidence is where blobs live.
type Evidence struct {
	URL  string           `yaml:"url"`  // default: a folder in the data directory
	Keep signoff.Duration `yaml:"keep"` // how long after its end a run keeps what was said in it; 0: for ever
}

// Encryption names the key files; both are made on the first start of the embedded mode.
type Encryption struct {
	KeyRing    string `yaml:"key_ring"`
	SigningKey string `yaml:"signing_key"`
	PublicKeys string `yaml:"public_keys"` // what a worker knows of signing keys; only workers need it
}

// Slack is the chat.
type Slack struct {
	Token         Secret   `yaml:"token"`
	AppToken      Secret   `yaml:"app_token"`
	SigningSecret Secret   `yaml:"signing_secret"`
	BaseURL       string   `yaml:"base_url"`
	Channel       string   `yaml:"channel"`
	Teams         []string `yaml:"teams"`
	Apps          []string `yaml:"apps"`
	Enterprises   []string `yaml:"enterprises"` // empty: any that owns an allowed workspace
	Channels      []string `yaml:"channels"`    // further channels in which /tourniquet is answered
	Rooms         bool     `yaml:"channel_per_incident"`
	SocketMode    bool     `yaml:"socket_mode"`

	Remember signoff.Duration `yaml:"remember"` // how long an answer about people and groups is believed; 30s at most and by default
}

// GitHub is used for secrets of dependents, tickets and secret-scanning alerts.
type GitHub struct {
	BaseURL string `yaml:"base_url"`
	Token   Secret `yaml:"token"`
	Tickets struct {
		Owner, Repo string
		Labels      []string // beside "tourniquet"
	} `yaml:"tickets"`
}

// Person is somebody who may decide or own a key.
type Person struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Slack string `yaml:"slack"`
	Email string `yaml:"email"`

	PagerDuty string   `yaml:"pagerduty"`    // user id there; for groups that are whoever is on call
	Subject   string   `yaml:"oidc_subject"` // sub of the OIDC provider's tokens
	Roles     []string `yaml:"roles"`        // viewer, responder, author, operator; none: responder
}

// Playbooks is the directory of *.yaml files; empty: those that ship with the binary.
type Playbooks struct {
	Dir string `yaml:"dir"`
}

// Inventory is the file of known keys.
type Inventory struct {
	File string `yaml:"file"`
}

// Notify is how people are reached when chat is not enough.
type Notify struct {
	Mail *struct {
		Host     string `yaml:"host"`
		Port     int    `yaml:"port"`
		User     string `yaml:"user"`
		Password Secret `yaml:"password"`
		From     string `yaml:"from"`
		TLS      string `yaml:"tls"`
	} `yaml:"mail"`
	PagerDuty *struct {
		RoutingKey Secret `yaml:"routing_key"`
		BaseURL    string `yaml:"base_url"`
		APIToken   Secret `yaml:"api_token"` // read-only, of the REST API; for groups that are whoever is on call
		APIURL     string `yaml:"api_url"`
	} `yaml:"pagerduty"`
	Webhooks []Webhook `yaml:"webhooks"`
}

var quoted = regexp.MustCompile("`[^`]*`")

// maxFile bounds the file: a configuration is written by people.
const maxFile = 1 << 20

// Load reads and checks a file. All faults that can be found without the network are reported at once.
func Load(path string) (*Config, error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration at %q; make one with: tourniquet init", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration %q cannot be read: %w", path, err)
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("the configuration %q is larger than %d bytes", path, maxFile)
	}
	c, err := Parse(body)
	if c != nil {
		c.Text = body
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse reads the text of a configuration.
func Parse(body []byte) (*Config, error) {
	c := defaults()
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		// The parser quotes what it did not understand, and that may be a secret in the wrong place.
		return nil, fmt.Errorf("%s", quoted.ReplaceAllString(strings.ReplaceAll(err.Error(), "yaml: unmarshal errors:\n  ", ""), "what is written there"))
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("there is more than one document; a configuration is one")
	}
	return c, c.check()
}

func defaults() *Config {
	return &Config{
		Mode:      incident.ModeObserve,
		Server:    Server{Listen: "127.0.0.1:8686", DataDir: "tourniquet-data"},
		Temporal:  Temporal{Mode: "embedded"},
		Database:  Database{Driver: "sqlite"},
		Inventory: Inventory{File: ""},
		Watch:     defaultWatch(),
	}
}

// At is a path of the file as an absolute one.
func (c *Config) At(path string) string {
	if path == "" || filepath.IsAbs(path) || c.Path == "" {
		return path
	}
	return filepath.Join(filepath.Dir(c.Path), path)
}

// URL is how people reach the console.
func (c *Config) URL() string {
	if c.Server.URL != "" {
		return strings.TrimSuffix(c.Server.URL, "/")
	}
	if c.Server.TLS != nil {
		return "https://" + c.Server.Listen
	}
	return "http://" + c.Server.Listen
}
