package main

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// eachOn calls job with 0..count from as many goroutines as there are connections, one connection each, and returns
// the time each job took and the first error.
func eachOn(server string, connections, count int, job func(conn *Conn, index int) error) ([]time.Duration, error) {
	times := make([]time.Duration, count)
	var next atomic.Int64
	err := onConnections(server, connections, func(conn *Conn) error {
		for {
			index := int(next.Add(1)) - 1
			if index >= count {
				return nil
			}
			start := time.Now()
			if err := job(conn, index); err != nil {
				next.Store(int64(count))
				return err
			}
			times[index] = time.Since(start)
		}
	})
	return times, err
}

// onConnections runs work on that many connections at once and returns the first error.
func onConnections(server string, connections int, work func(conn *Conn) error) error {
	var group sync.WaitGroup
	errs := make(chan error, connections)
	for range connections {
		conn, err := NewConn(server)
		if err != nil {
			return err
		}
		group.Add(1)
		go func() {
			defer group.Done()
			defer conn.Close()
			errs <- work(conn)
		}()
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Latency is how long requests took, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// latency sorts the times in place. Each percentile is the least time that so many per cent did not exceed.
func latency(times []time.Duration) Latency {
	if len(times) == 0 {
		return Latency{}
	}
	sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
	at := func(percent int) float64 {
		rank := (len(times)*percent + 99) / 100
		return float64(times[max(rank, 1)-1].Microseconds()) / 1000
	}
	return Latency{P50: at(50), P99: at(99), Max: at(100)}
}
