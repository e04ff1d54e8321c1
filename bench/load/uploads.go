package main

import (
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// ended is nil for the regular end of a body.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// runUploads sends zeros into many uploads at once and breaks them all off when the time is over: what matters is
// what the server's memory does meanwhile.
func runUploads(flags *flag.FlagSet, arguments []string) (any, error) {
	server := flags.String("server", "", "base URL of the registry")
	repository := flags.String("repository", "bench/uploads", "repository to push to")
	connections := flags.Int("connections", 64, "uploads at once")
	size := flags.Int64("size", 1<<30, "bytes after which an upload is complete, each")
	seconds := flags.Float64("seconds", 5, "break off after so long")
	flags.Parse(arguments)
	var total atomic.Int64
	start := time.Now()
	end := start.Add(time.Duration(*seconds * float64(time.Second)))
	err := onConnections(*server, *connections, func(conn *Conn) error {
		session, err := beginUpload(conn, *repository)
		if err != nil {
			return err
		}
		body := &zeros{size: *size, end: end, sent: &total}
		_, err = conn.Expect([]int{http.StatusAccepted}, "PATCH", session, body, octets)
		if errors.Is(err, errTimeIsOver) {
			return nil
		}
		return err
	})
	return transferResult{Bytes: total.Load(), Seconds: time.Since(start).Seconds()}, err
}

var errTimeIsOver = errors.New("the time is over")

// zeros is a chunked body of zeros that breaks off at end.
type zeros struct {
	size int64
	end  time.Time
	sent *atomic.Int64
}

func (z *zeros) head() string { return "Transfer-Encoding: chunked\r\n" }

func (z *zeros) send(socket net.Conn) error {
	piece := make([]byte, 256<<10)
	for left := z.size; left > 0; left -= int64(len(piece)) {
		if time.Now().After(z.end) {
			// Closed here, since the answer to half a body would never come.
			socket.Close()
			return errTimeIsOver
		}
		piece = piece[:min(int64(len(piece)), left)]
		if err := (Chunked{piece}).sendChunks(socket); err != nil {
			return err
		}
		z.sent.Add(int64(len(piece)))
	}
	_, err := io.WriteString(socket, "0\r\n\r\n")
	return err
}
