package main

import (
	"errors"
	"slices"
	"time"
)

// session is an upload that a worker leaves half done and takes up again, often after the server was killed.
type session struct {
	location string
	content  Content
	// acknowledged bytes are there; up to sent bytes may be.
	acknowledged, sent int
	// inFlight says that the last request stayed without an answer; finishing, that it was the closing PUT.
	inFlight, finishing bool
}

// beginSession begins an upload and sends a part of it.
func (w *Worker) beginSession() error {
	if len(w.sessions) >= maxSessions {
		return w.continueSession()
	}
	begun, err := w.call("POST", uploadsPath(w.repository), nil, []int{202})
	if err != nil {
		return err
	}
	content := noise(w.random.Uint64(), 100<<10+w.random.IntN(1<<20))
	opened := &session{location: begun.Header.Get("Location"), content: content}
	w.sessions = append(w.sessions, opened)
	return w.patch(opened, 2+w.random.IntN(len(content.Bytes)/2))
}

// patch sends the session's next bytes.
func (w *Worker) patch(s *session, length int) error {
	from := s.acknowledged
	s.sent, s.inFlight = from+length, true
	body := &slow{s.content.Bytes[from : from+length], 32 << 10, time.Duration(w.random.IntN(4)) * time.Millisecond}
	answer, err := w.call("PATCH", s.location, body, []int{202, 404, 409})
	if err != nil {
		return err
	}
	if answer.Status != 202 {
		return w.gone(s, answer)
	}
	s.inFlight = false
	s.acknowledged, err = received(answer.Header)
	if err != nil || s.acknowledged != s.sent {
		w.report.Fail("%s: a chunk up to byte %d was acknowledged as %d (%v)", w.repository, s.sent, s.acknowledged, err)
		w.drop(s)
		return errRefused
	}
	return nil
}

// continueSession asks where an upload stands, then sends more of it or all the rest.
func (w *Worker) continueSession() error {
	if len(w.sessions) == 0 {
		return w.beginSession()
	}
	s := w.sessions[w.random.IntN(len(w.sessions))]
	if err := w.status(s); err != nil || !slices.Contains(w.sessions, s) {
		return err
	}
	rest := len(s.content.Bytes) - s.acknowledged
	if rest > 2 && w.random.IntN(2) == 0 {
		return w.patch(s, 1+w.random.IntN(rest-1))
	}
	return w.finish(s)
}

// status asks where an upload stands: never behind what was acknowledged.
func (w *Worker) status(s *session) error {
	answer, err := w.call("GET", s.location, nil, []int{204, 404})
	if err != nil {
		return err
	}
	if answer.Status == 404 {
		return w.gone(s, answer)
	}
	stands, err := received(answer.Header)
	if err != nil || stands < s.acknowledged || stands > max(s.sent, s.acknowledged) {
		w.report.Fail("%s: an upload stands at %d, acknowledged were %d of %d sent (%v)", w.repository, stands,
			s.acknowledged, s.sent, err)
		w.drop(s)
		return errRefused
	}
	if s.inFlight && !s.finishing {
		w.resumed.Add(1)
	}
	s.acknowledged = stands
	return nil
}

// finish sends the rest with the closing PUT.
func (w *Worker) finish(s *session) error {
	taken := s.inFlight
	from := s.acknowledged
	s.sent, s.inFlight, s.finishing = len(s.content.Bytes), true, true
	w.ledger.Begin(map[string]string{"blob:" + s.content.Digest: present})
	answer, err := w.call("PUT", closing(s.location, s.content.Digest), s.content.Bytes[from:], []int{201, 404, 409})
	if err != nil {
		if errors.Is(err, errRefused) {
			w.ledger.Refuse()
			w.drop(s)
		}
		return err
	}
	if answer.Status == 201 {
		w.ledger.Acknowledge()
		w.drop(s)
		return nil
	}
	w.ledger.Refuse()
	s.inFlight = taken
	return w.gone(s, answer)
}

// gone handles an upload that cannot go on: only after a request on it stayed without an answer may that be.
func (w *Worker) gone(s *session, answer *Answer) error {
	switch {
	case answer.Status == 409 && w.leases:
		return nil
	case answer.Status == 404 && s.finishing:
		// It had become a blob, or its bytes had been moved to where the blob would be: the client begins again.
		w.restarted.Add(1)
		w.drop(s)
		return nil
	}
	w.report.Fail("%s: an upload with %d bytes acknowledged cannot go on: %v", w.repository, s.acknowledged, answer)
	w.drop(s)
	return errRefused
}

func (w *Worker) drop(s *session) {
	w.sessions = slices.DeleteFunc(w.sessions, func(other *session) bool { return other == s })
}
