package main

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// present is the value of a blob or manifest that is there; absent of anything that is not.
const (
	present = "present"
	absent  = ""
)

// Ledger is what one client knows of its repository: what the server acknowledged, and the one change whose answer
// it is waiting for. Keys are "blob:DIGEST", "manifest:DIGEST" and "tag:NAME"; a tag's value is a digest.
type Ledger struct {
	state map[string]string
	// pending is the change under way: all of it happened, or nothing.
	pending map[string]string
	// touched is the round in which a key was last changed.
	touched map[string]int
	// contents and references describe manifests by digest.
	contents   map[string]Content
	mediaTypes map[string]string
	references map[string][]string
	round      int
	// Acknowledged counts the changes that the server acknowledged.
	Acknowledged int
	journal      *bufio.Writer
}

func newLedger(journal *bufio.Writer) *Ledger {
	return &Ledger{
		state:      map[string]string{},
		touched:    map[string]int{},
		contents:   map[string]Content{},
		mediaTypes: map[string]string{},
		references: map[string][]string{},
		journal:    journal,
	}
}

// Begin notes a change before its request is sent.
func (l *Ledger) Begin(change map[string]string) {
	l.pending = change
	l.write("begin", change)
}

// Acknowledge notes that the server promised the change.
func (l *Ledger) Acknowledge() {
	l.write("acknowledged", l.pending)
	l.apply()
	l.Acknowledged++
}

// Refuse notes that the server refused the change.
func (l *Ledger) Refuse() {
	l.write("refused", l.pending)
	l.pending = nil
}

func (l *Ledger) apply() {
	for key, value := range l.pending {
		l.set(key, value)
	}
	l.pending = nil
}

func (l *Ledger) set(key, value string) {
	l.state[key] = value
	l.touched[key] = l.round
}

func (l *Ledger) write(what string, change map[string]string) {
	at := time.Now().Format("15:04:05.000000")
	for _, key := range slices.Sorted(maps.Keys(change)) {
		// What the journal could not take is missing from a file that only people read.
		_, _ = fmt.Fprintf(l.journal, "%s round %d %s %s = %q\n", at, l.round, what, key, change[key])
	}
}

// Manifest describes a manifest before it is pushed.
func (l *Ledger) Manifest(content Content, mediaType string, references ...string) {
	l.contents[content.Digest] = content
	l.mediaTypes[content.Digest] = mediaType
	l.references[content.Digest] = references
}

// keys returns the keys of a kind whose value is not absent, in order, so that a seed repeats its choices.
func (l *Ledger) keys(kind string) []string {
	var found []string
	for key, value := range l.state {
		if value != absent && strings.HasPrefix(key, kind+":") {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	return found
}

// referenced returns the keys that manifests which are there name.
func (l *Ledger) referenced() map[string]bool {
	named := map[string]bool{}
	for _, key := range l.keys("manifest") {
		for _, reference := range l.references[strings.TrimPrefix(key, "manifest:")] {
			named[reference] = true
		}
	}
	return named
}

// unreferenced returns the keys of a kind that no manifest names.
func (l *Ledger) unreferenced(kind string) []string {
	named := l.referenced()
	return slices.DeleteFunc(l.keys(kind), func(key string) bool { return named[key] })
}

// Removal returns the change that deleting a manifest makes: its tags go along.
func (l *Ledger) Removal(manifest string) map[string]string {
	change := map[string]string{manifest: absent}
	for _, tag := range l.keys("tag") {
		if "manifest:"+l.state[tag] == manifest {
			change[tag] = absent
		}
	}
	return change
}

// ForgetSwept drops what a sweeper with a short grace period may have removed.
func (l *Ledger) ForgetSwept() {
	for _, key := range l.unreferenced("blob") {
		delete(l.state, key)
	}
}

// Sample returns what to verify: all that changed since round `since`, and up to `more` other keys.
func (l *Ledger) Sample(since, more int, random *rand.Rand) []string {
	var sample, others []string
	for _, key := range slices.Sorted(maps.Keys(l.state)) {
		if l.touched[key] >= since {
			sample = append(sample, key)
		} else {
			others = append(others, key)
		}
	}
	random.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	return append(sample, others[:min(more, len(others))]...)
}
