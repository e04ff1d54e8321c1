package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// maxShown bounds the failures printed: the first ones tell what happened, the rest only that it went on.
const maxShown = 25

// Report prints checks as the shell scripts do, and counts the failures.
type Report struct {
	name   string
	mutex  sync.Mutex
	failed int
	begun  time.Time
}

func newReport(name string) *Report {
	return &Report{name: name, begun: time.Now()}
}

// Ok prints a check that passed.
func (r *Report) Ok(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	fmt.Printf("ok %s: %s\n", r.name, fmt.Sprintf(format, args...))
}

// Fail prints a check that failed, with the second at which it did.
func (r *Report) Fail(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.failed++
	if r.failed <= maxShown {
		at := time.Since(r.begun).Seconds()
		fmt.Printf("FAIL %s: %s (at %.3f s)\n", r.name, fmt.Sprintf(format, args...), at)
	}
	if r.failed == maxShown {
		r.note("further failures are only counted")
	}
}

// Note prints a line that is no check.
func (r *Report) Note(format string, args ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.note(format, args...)
}

func (r *Report) note(format string, args ...any) {
	fmt.Printf("# %s\n", fmt.Sprintf(format, args...))
}

// Failed returns the number of failures so far.
func (r *Report) Failed() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.failed
}

// Check prints a check by its outcome.
func (r *Report) Check(ok bool, format string, args ...any) {
	if ok {
		r.Ok(format, args...)
	} else {
		r.Fail(format, args...)
	}
}

// Exit ends the program as the number of failures says.
func (r *Report) Exit() {
	if n := r.Failed(); n > 0 {
		r.Note("%d failures", n)
		os.Exit(1)
	}
	os.Exit(0)
}
