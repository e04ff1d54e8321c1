package main

import (
	"maps"
	"slices"
)

// Verify compares what the server holds with what it acknowledged: first the change whose answer never came, which
// may have happened as a whole or not at all, then a sample. Returns how many keys it looked at.
func (w *Worker) Verify(since, more int, swept bool) int {
	if err := w.resolve(swept); err != nil {
		w.report.Fail("%s: cannot be verified: %v", w.repository, err)
		return 0
	}
	if swept {
		w.ledger.ForgetSwept()
	}
	sample := w.ledger.Sample(since, more, w.random)
	for _, key := range sample {
		value, err := w.actual(key)
		if err != nil {
			w.report.Fail("%s: %s cannot be verified: %v", w.repository, key, err)
			return 0
		}
		if value != w.ledger.state[key] {
			w.report.Fail("%s: %s is %q after the restart, acknowledged was %q in round %d", w.repository, key, value,
				w.ledger.state[key], w.ledger.touched[key])
			// Reported once, not in each round.
			w.ledger.set(key, value)
		}
	}
	for _, s := range slices.Clone(w.sessions) {
		// What goes wrong is reported there.
		_ = w.status(s)
	}
	return len(sample)
}

// resolve finds out whether the change under way at the kill happened.
func (w *Worker) resolve(swept bool) error {
	pending := w.ledger.pending
	before, after := true, true
	for _, key := range slices.Sorted(maps.Keys(pending)) {
		if swept && key[:5] == "blob:" {
			delete(w.ledger.state, key)
			w.ledger.pending = nil
			return nil
		}
		value, err := w.actual(key)
		if err != nil {
			return err
		}
		before = before && value == w.ledger.state[key]
		after = after && value == pending[key]
	}
	switch {
	case after:
		w.ledger.apply()
	case before:
		w.ledger.pending = nil
	default:
		w.report.Fail("%s: a change happened in part: %v", w.repository, pending)
		w.ledger.pending = nil
	}
	return nil
}

// FinishSessions ends every upload that was left half done. Returns how many are still held by a lease.
func (w *Worker) FinishSessions() int {
	held := 0
	for _, s := range slices.Clone(w.sessions) {
		if w.status(s) != nil || !slices.Contains(w.sessions, s) {
			continue
		}
		if err := w.finish(s); err != nil {
			w.report.Fail("%s: an upload cannot be ended: %v", w.repository, err)
		} else if slices.Contains(w.sessions, s) {
			held++
		}
	}
	return held
}
