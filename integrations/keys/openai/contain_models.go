package openai

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	sdk "github.com/openai/openai-go/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// permissions are a project's model permissions; without a mode there are none.
type permissions struct {
	Mode   string   `json:"mode"`
	Models []string `json:"model_ids"`
}

func (m permissions) fields() map[string]string {
	if m.Mode == "" {
		return map[string]string{"project_model_permissions": "none"}
	}
	return map[string]string{"project_model_permissions": m.Mode + " " + strings.Join(m.Models, ",")}
}

func (p *Provider) readModels(ctx context.Context, project string) (state, error) {
	var now permissions
	err := p.read(ctx, fmt.Sprintf("reading the model permissions of project %q", project), func() error {
		got, err := p.admin.Organization.Projects.ModelPermissions.Get(ctx, project)
		if err == nil && !got.JSON.Mode.Valid() {
			err = errShape
		}
		if err == nil {
			now = permissions{string(got.Mode), slices.Sorted(slices.Values(got.ModelIDs))}
		}
		return err
	})
	if err != nil && !missing(err) {
		return state{}, err
	}
	models, err := p.models(ctx, project)
	done := now.Mode == string(sdk.ProjectModelPermissionsModeDenyList) && !slices.ContainsFunc(models, func(m string) bool { return !slices.Contains(now.Models, m) })
	return state{now.fields(), before{Models: &now}, done}, err
}

// models are those that the project has rate limits for: nobody lists all that it may use.
func (p *Provider) models(ctx context.Context, project string) ([]string, error) {
	limits, err := p.rates(ctx, project)
	var names []string
	for _, l := range limits {
		names = append(names, l.Model)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// stopModels denies every model. An empty list is never sent: what it would mean is not said.
func (p *Provider) stopModels(ctx context.Context, project string) (keys.Receipt, error) {
	models, err := p.models(ctx, project)
	if err != nil {
		return keys.Receipt{}, err
	}
	if len(models) == 0 {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("OpenAI lists no rate limits for project %q, so its models are not known; choose another measure", project))
	}
	receipt, err := p.setModels(ctx, project, permissions{string(sdk.ProjectModelPermissionsModeDenyList), models})
	receipt.Summary = fmt.Sprintf("Project %q is denied its %d models", project, len(models))
	return receipt, err
}

func (p *Provider) restoreModels(ctx context.Context, project string, was permissions) (keys.Receipt, error) {
	if was.Mode != "" {
		receipt, err := p.setModels(ctx, project, was)
		receipt.Summary = "The project has its recorded model permissions again"
		return receipt, err
	}
	got, err := p.admin.Organization.Projects.ModelPermissions.Delete(ctx, project)
	if err == nil && !got.Deleted {
		err = errShape
	}
	if err != nil && !missing(err) {
		return keys.Receipt{}, explain(fmt.Sprintf("taking the model permissions off project %q", project), err)
	}
	return keys.Receipt{Summary: "The project has no model permissions, as before", After: was.fields()}, nil
}

func (p *Provider) setModels(ctx context.Context, project string, want permissions) (keys.Receipt, error) {
	what := fmt.Sprintf("setting the model permissions of project %q", project)
	var answer *http.Response
	got, err := p.admin.Organization.Projects.ModelPermissions.Update(ctx, project, sdk.AdminOrganizationProjectModelPermissionUpdateParams{
		Mode: sdk.AdminOrganizationProjectModelPermissionUpdateParamsMode(want.Mode), ModelIDs: want.Models,
	}, into(&answer))
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	if now := (permissions{string(got.Mode), slices.Sorted(slices.Values(got.ModelIDs))}); now.Mode != want.Mode || !slices.Equal(now.Models, slices.Sorted(slices.Values(want.Models))) {
		return keys.Receipt{}, fmt.Errorf("%s: OpenAI's answer says %s of %d models", what, now.Mode, len(now.Models))
	}
	return keys.Receipt{RequestID: requestID(answer), After: want.fields()}, nil
}
