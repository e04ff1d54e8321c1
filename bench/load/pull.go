package main

import (
	"flag"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// transferResult is how many bytes moved, over all connections.
type transferResult struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// runPull fetches one path again and again, a number of times or for a length of time.
func runPull(flags *flag.FlagSet, arguments []string) (any, error) {
	server := flags.String("server", "", "base URL of the registry")
	path := flags.String("path", "", "what to fetch")
	connections := flags.Int("connections", 1, "fetches at once")
	times := flags.Int("times", 1, "fetches in all, unless -seconds is given")
	seconds := flags.Float64("seconds", 0, "fetch for so long, then break off")
	flags.Parse(arguments)
	if *seconds > 0 {
		return pullFor(*server, *path, *connections, time.Duration(*seconds*float64(time.Second)))
	}
	var total atomic.Int64
	start := time.Now()
	_, err := eachOn(*server, *connections, *times, func(conn *Conn, _ int) error {
		answer, err := conn.Expect([]int{http.StatusOK}, "GET", *path, nil)
		total.Add(answer.Length)
		return err
	})
	return transferResult{Bytes: total.Load(), Seconds: time.Since(start).Seconds()}, err
}

// pullFor keeps every connection busy until the time is over. Bodies broken off count what had come.
func pullFor(server, path string, connections int, length time.Duration) (any, error) {
	var total atomic.Int64
	start := time.Now()
	err := onConnections(server, connections, func(conn *Conn) error {
		for time.Since(start) < length {
			read, err := pullUntil(conn, path, start.Add(length))
			total.Add(read)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return transferResult{Bytes: total.Load(), Seconds: time.Since(start).Seconds()}, err
}

// pullUntil reads one answer until it ends or the time has come.
func pullUntil(conn *Conn, path string, end time.Time) (int64, error) {
	if err := conn.open(); err != nil {
		return 0, err
	}
	if err := conn.send("GET", path, nil, nil); err != nil {
		return 0, err
	}
	if err := conn.socket.SetReadDeadline(end.Add(patience)); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(conn.reader, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET %s: status %d", path, response.StatusCode)
	}
	var total int64
	for time.Now().Before(end) {
		n, err := response.Body.Read(conn.buffer)
		total += int64(n)
		if err != nil {
			return total, ended(err)
		}
	}
	conn.Close() // The rest of the body is not wanted.
	return total, nil
}
