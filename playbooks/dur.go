package playbooks

import (
	"encoding/json"
	"time"
)

// MarshalJSON writes a duration as Go prints it.
func (d Dur) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Dur) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	*d = Dur(v)
	return err
}

// Std is the duration as the standard library knows it.
func (d Dur) Std() time.Duration { return time.Duration(d) }
