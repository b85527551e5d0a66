package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/guard"
)

func TestNoNameLeadsInside(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "0.1.2.3", "100.64.0.1", "::1", "fe80::1", "fd00::1",
		"::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "::"} {
		if !guard.Inside(netip.MustParseAddr(inside)) {
			t.Errorf("%s counts as outside", inside)
		}
	}
	for _, outside := range []string{"93.184.216.34", "2606:2800:220:1::1", "100.128.0.1"} {
		if guard.Inside(netip.MustParseAddr(outside)) {
			t.Errorf("%s counts as inside", outside)
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer srv.Close()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := guard.Client(time.Second).Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if !errors.Is(err, guard.ErrInside) {
		t.Errorf("loopback: %v", err)
	}
}
