package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what a load test did, and how long each kind of request took.
type Stats struct {
	mutex sync.Mutex
	took  map[string][]time.Duration
	done  map[string]int
	// Bytes of all answers; Expired counts what the sweeper took within the rules.
	Bytes, Expired atomic.Int64
}

func newStats() *Stats {
	return &Stats{took: map[string][]time.Duration{}, done: map[string]int{}}
}

// Request notes a request.
func (s *Stats) Request(method string, took time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.took[method] = append(s.took[method], took)
}

// Done notes that an act of several requests was completed.
func (s *Stats) Done(act string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.done[act]++
}

// Count returns how often an act was completed.
func (s *Stats) Count(act string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.done[act]
}

// Requests returns how many requests there were.
func (s *Stats) Requests() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	sum := 0
	for _, took := range s.took {
		sum += len(took)
	}
	return sum
}

// Latencies returns a line per method: count, median, 99th percentile and slowest.
func (s *Stats) Latencies() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var lines []string
	for method, took := range s.took {
		slices.Sort(took)
		at := func(part float64) time.Duration {
			return took[int(part*float64(len(took)-1))].Round(100 * time.Microsecond)
		}
		lines = append(lines, fmt.Sprintf("%-6s %7d requests, median %v, p99 %v, slowest %v", method, len(took), at(0.5),
			at(0.99), at(1)))
	}
	slices.Sort(lines)
	return lines
}
