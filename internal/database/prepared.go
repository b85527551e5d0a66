package database

import (
	"context"
	"database/sql"
	"sync"
)

// These bound the statements that are kept compiled: we have fewer texts, and a filter that is put together anew each time
// must not fill the memory.
const (
	mostPrepared    = 512
	longestPrepared = 4096 // bytes: what is longer is a list, and has another length next time
)

// prepared keeps statements compiled. SQLite reads and plans the text of a query each time that it is asked, which was a seventh of
// what a run takes of the processor; PostgreSQL's driver keeps its own.
type prepared struct {
	mu    sync.Mutex
	ready map[string]*sql.Stmt
	asked map[string]bool // in a transaction, to be compiled before the next one
}

// statement is the compiled query; nil where it is to be asked as text.
func (p *pool) statement(ctx context.Context, query string) *sql.Stmt {
	if s, full := p.known(query); s != nil || full {
		return s
	}
	s, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil // asked as text, it says itself what is wrong
	}
	return p.keep(query, s)
}

// known is a query that is compiled; full says that this one will not be.
func (p *pool) known(query string) (s *sql.Stmt, full bool) {
	if p.dialect.postgres {
		return nil, true
	}
	p.prepared.mu.Lock()
	defer p.prepared.mu.Unlock()
	return p.prepared.ready[query], len(p.prepared.ready) >= mostPrepared
}

func (p *pool) keep(query string, s *sql.Stmt) *sql.Stmt {
	p.prepared.mu.Lock()
	defer p.prepared.mu.Unlock()
	if first := p.prepared.ready[query]; first != nil { // two asked it at once
		_ = s.Close() // nobody uses it
		return first
	}
	p.prepared.ready[query] = s
	return s
}

// within is the compiled query inside a transaction. That holds the one connection which writes, so that what is asked for the first
// time is compiled before the next transaction.
func (p *pool) within(ctx context.Context, tx *sql.Tx, query string) *sql.Stmt {
	s, full := p.known(query)
	if s != nil {
		return tx.StmtContext(ctx, s)
	}
	if !full && len(query) < longestPrepared {
		p.prepared.mu.Lock()
		if len(p.prepared.asked) < mostPrepared {
			p.prepared.asked[query] = true
		}
		p.prepared.mu.Unlock()
	}
	return nil
}

// compile gets ready what transactions have asked for.
func (p *pool) compile(ctx context.Context) {
	p.prepared.mu.Lock()
	asked := p.prepared.asked
	p.prepared.asked = map[string]bool{}
	p.prepared.mu.Unlock()
	for query := range asked {
		p.statement(ctx, query)
	}
}
