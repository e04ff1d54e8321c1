package main

import (
	"flag"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// requestsResult is a rate of small requests.
type requestsResult struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Latency
}

// runRequests asks for one path as fast as the connections allow. For HEAD: wrk waits for the body that an answer to
// HEAD announces and never sends.
func runRequests(flags *flag.FlagSet, arguments []string) (any, error) {
	server := flags.String("server", "", "base URL of the registry")
	path := flags.String("path", "", "what to ask for")
	method := flags.String("method", "HEAD", "method")
	accept := flags.String("accept", manifestType, "value of Accept")
	connections := flags.Int("connections", 16, "connections")
	seconds := flags.Float64("seconds", 2, "how long")
	flags.Parse(arguments)
	var mutex sync.Mutex
	var all []time.Duration
	start := time.Now()
	end := start.Add(time.Duration(*seconds * float64(time.Second)))
	err := onConnections(*server, *connections, func(conn *Conn) error {
		var times []time.Duration
		for before := time.Now(); before.Before(end); {
			answer, err := conn.Do(*method, *path, nil, "Accept: "+*accept)
			if err == nil && answer.Status != http.StatusOK {
				err = fmt.Errorf("%s %s: status %d", *method, *path, answer.Status)
			}
			if err != nil {
				return err
			}
			after := time.Now()
			times = append(times, after.Sub(before))
			before = after
		}
		mutex.Lock()
		defer mutex.Unlock()
		all = append(all, times...)
		return nil
	})
	elapsed := time.Since(start).Seconds()
	return requestsResult{Requests: len(all), Seconds: elapsed, Latency: latency(all)}, err
}
