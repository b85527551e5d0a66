package people

import (
	"context"
	"errors"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
)

// Group is one of three: a list of person ids, a Slack user group, or whoever is on call.
type Group struct {
	People         []string `yaml:"people,omitempty" json:"people,omitempty"`
	SlackUsergroup string   `yaml:"slack_usergroup,omitempty" json:"slack_usergroup,omitempty"`
	OnCall         *OnCall  `yaml:"on_call,omitempty" json:"on_call,omitempty"`
}

// OnCall names a rota of PagerDuty. Its members change with every shift.
type OnCall struct {
	Schedule string `yaml:"schedule,omitempty" json:"schedule,omitempty"` // id, as PXXXXXX
	Policy   string `yaml:"policy,omitempty" json:"policy,omitempty"`     // or id of an escalation policy
	Level    int    `yaml:"level,omitempty" json:"level,omitempty"`       // of the policy; 1 where it is left out
}

// Asked reports that only another service knows the members.
func (g Group) Asked() bool { return g.SlackUsergroup != "" || g.OnCall != nil }

func (g Group) check() error {
	kinds := 0
	for _, is := range []bool{len(g.People) > 0, g.SlackUsergroup != "", g.OnCall != nil} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("give either people, slack_usergroup or on_call")
	case g.OnCall != nil && (g.OnCall.Schedule == "") == (g.OnCall.Policy == ""):
		return errors.New("on_call: give either schedule or policy")
	case g.OnCall != nil && (g.OnCall.Level < 0 || g.OnCall.Level > 0 && g.OnCall.Schedule != ""):
		return errors.New("on_call: level is that of a policy, from 1")
	}
	return nil
}

// cacheKey is the name under which the members of a group that is asked for are remembered.
func (g Group) cacheKey() string {
	if g.OnCall != nil {
		return fmt.Sprintf("on call %q %q %d", g.OnCall.Schedule, g.OnCall.Policy, g.OnCall.Level)
	}
	return "group " + g.SlackUsergroup
}

// known are the persons of the configuration among the users of a service.
func (d *Directory) known(g Group, users []string) (ids []string) {
	find := d.BySlack
	if g.OnCall != nil {
		find = d.byRoster
	}
	for _, u := range users {
		if p, ok := find(u); ok {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (d *Directory) userGroup(ctx context.Context, name string, g Group) (answer, error) {
	if d.chat == nil {
		return answer{}, fmt.Errorf("group %q is a Slack user group, but Slack is not configured", name)
	}
	users, err := d.chat.Members(ctx, g.SlackUsergroup)
	var empty *chat.EmptyGroupError
	if errors.As(err, &empty) { // chat has answered: nobody, which lets nobody decide
		return answer{}, nil
	}
	return answer{list: users}, err
}

func (d *Directory) onCall(ctx context.Context, name string, g Group) (answer, error) {
	if d.roster == nil {
		return answer{}, fmt.Errorf("group %q is whoever is on call, but notify.pagerduty.api_token is not configured", name)
	}
	users, err := d.roster.OnCall(ctx, paging.Rota{Schedule: g.OnCall.Schedule, Policy: g.OnCall.Policy, Level: g.OnCall.Level})
	return answer{list: users}, err
}
