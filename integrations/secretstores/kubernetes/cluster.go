package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	appsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// Cluster is one API server that may be written to.
type Cluster struct {
	Name       string // as dependents name it; the only one may be left unnamed there
	Kubeconfig string // a file; empty: the service account of the pod that we run in
	Context    string // of the file; its current one when empty
	Timeout    time.Duration
}

// cluster calls one API server. Every call is one request: whether to try again is the caller's decision.
type cluster struct {
	name       string
	core, apps rest.Interface
}

func open(c Cluster) (cluster, error) {
	cfg, err := load(c)
	if err != nil {
		return cluster{}, fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	if cfg.Timeout = c.Timeout; cfg.Timeout == 0 {
		cfg.Timeout = outbound.DefaultTimeout
	}
	cfg.UserAgent = "tourniquet"
	cfg.QPS = -1 // ours are a handful of calls; the API server has its own limits
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return outbound.Bounded(next, 0) })
	hc, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return cluster{}, fmt.Errorf("cluster %q: the kubeconfig's certificates or credentials cannot be used", c.Name)
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	core, err := corev1.NewForConfigAndClient(cfg, hc)
	if err != nil {
		return cluster{}, fmt.Errorf("cluster %q: the kubeconfig's server is not an address", c.Name)
	}
	apps, err := appsv1.NewForConfigAndClient(cfg, hc)
	if err != nil {
		return cluster{}, fmt.Errorf("cluster %q: the kubeconfig's server is not an address", c.Name)
	}
	return cluster{c.Name, core.RESTClient(), apps.RESTClient()}, nil
}

func load(c Cluster) (*rest.Config, error) {
	if c.Kubeconfig == "" {
		cfg, err := rest.InClusterConfig()
		if err != nil {
			return nil, errors.New("no kubeconfig is named, and this is no pod with a service account")
		}
		return cfg, nil
	}
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: c.Kubeconfig}
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: c.Context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig %q cannot be read, or has no usable context", c.Kubeconfig)
	}
	return cfg, nil
}

// target is one object of one namespace.
type target struct{ namespace, resource, name string }

func (t target) String() string {
	return fmt.Sprintf("Kubernetes %s %s/%s", strings.TrimSuffix(t.resource, "s"), t.namespace, t.name)
}

// object is what the API server answers with.
type object interface {
	runtime.Object
	metav1.Object
}

func get[T object](ctx context.Context, c rest.Interface, t target, into T) (T, error) {
	err := c.Get().Namespace(t.namespace).Resource(t.resource).Name(t.name).MaxRetries(0).Do(ctx).Into(into)
	return into, t.usable("read "+t.String(), into, err)
}

func patch[T object](ctx context.Context, c rest.Interface, t target, body []byte, into T) (T, error) {
	err := c.Patch(types.MergePatchType).Namespace(t.namespace).Resource(t.resource).Name(t.name).
		Param("fieldManager", "tourniquet").MaxRetries(0).Body(body).Do(ctx).Into(into)
	if apierrors.IsConflict(err) {
		return into, secretstores.Moved(t.String())
	}
	return into, t.usable("write "+t.String(), into, err)
}

// usable refuses an answer that is about something else.
func (t target) usable(what string, got object, err error) error {
	if err == nil && (got.GetName() != t.name || got.GetNamespace() != t.namespace) {
		return fmt.Errorf("%s: no usable answer from the Kubernetes API", what)
	}
	return fault(what, err)
}

// fault leaves out what the server says: refusing a patch, it may quote it.
func fault(what string, err error) error {
	if err == nil || keys.IsPermanent(err) {
		return err
	}
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return secretstores.Unanswered(what, "the Kubernetes API", err)
	}
	code := int(answer.Status().Code)
	hint := secretstores.Hint(code, "see docs/dependents.md for the role")
	if code == http.StatusUnprocessableEntity {
		hint = "it does not accept this change; is it immutable?"
	}
	return secretstores.Answered(what, "the Kubernetes API", code, hint)
}

var (
	objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	fieldName  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)
)

func named(d incident.Dependent, namespace, name string) error {
	if !objectName.MatchString(namespace) || !objectName.MatchString(name) {
		return keys.Permanent(fmt.Errorf("dependent %q: %q in namespace %q is not the name of a Kubernetes object", d.ID, name, namespace))
	}
	return nil
}
