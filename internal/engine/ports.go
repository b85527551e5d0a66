package engine

import (
	"errors"
	"fmt"
	"net"
)

const loopback = "127.0.0.1"

// ports are the server's listening ports, kept occupied until the moment it starts.
type ports struct {
	frontend, history, matching int
	held                        []net.Listener
}

func choosePorts() (*ports, error) { return choosePortsFrom(0) }

// choosePortsFrom takes the given port for the frontend, any when it is 0.
func choosePortsFrom(frontend int) (*ports, error) {
	p := &ports{frontend: frontend}
	for _, port := range []*int{&p.frontend, &p.history, &p.matching} {
		l, err := net.Listen("tcp", address(*port))
		if err != nil {
			_ = p.release()
			return nil, fmt.Errorf("looking for a free port on %s: %w", loopback, err)
		}
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			_ = p.release()
			return nil, fmt.Errorf("a listener on %s has the strange address %q", loopback, l.Addr())
		}
		*port = addr.Port
		p.held = append(p.held, l)
	}
	return p, nil
}

func (p *ports) release() error {
	var errs []error
	for _, l := range p.held {
		errs = append(errs, l.Close())
	}
	p.held = nil
	return errors.Join(errs...)
}

func address(port int) string { return fmt.Sprintf("%s:%d", loopback, port) }
