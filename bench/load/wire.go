package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// chunkSize is how much goes to or comes from the kernel at once, in bytes.
	chunkSize = 1 << 20
	// patience is how long one request may take before the server counts as stuck.
	patience = 10 * time.Minute
)

// Conn is one HTTP/1.1 connection, opened when it is first used and again when the server closed it.
type Conn struct {
	host   string
	socket net.Conn
	reader *bufio.Reader
	buffer []byte
}

// NewConn returns an unopened connection to a server such as "http://127.0.0.1:5000".
func NewConn(server string) (*Conn, error) {
	parsed, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	if parsed.Scheme != "http" || parsed.Host == "" {
		return nil, fmt.Errorf("%q is not an http:// URL", server)
	}
	return &Conn{host: parsed.Host, buffer: make([]byte, 64<<10)}, nil
}

// Body is what a request carries. A nil Body is none.
type Body interface {
	// head is the header line that announces the body, with its line end.
	head() string
	// send writes the body.
	send(socket net.Conn) error
}

// Fixed is a body of known length: the concatenation of its parts.
type Fixed [][]byte

func (f Fixed) length() (total int) {
	for _, part := range f {
		total += len(part)
	}
	return total
}

func (f Fixed) head() string { return fmt.Sprintf("Content-Length: %d\r\n", f.length()) }

func (f Fixed) send(socket net.Conn) error {
	return f.pieces(func(piece []byte) error {
		_, err := socket.Write(piece)
		return err
	})
}

// pieces calls f with at most chunkSize bytes at a time.
func (f Fixed) pieces(each func([]byte) error) error {
	for _, part := range f {
		for len(part) > 0 {
			piece := part[:min(chunkSize, len(part))]
			part = part[len(piece):]
			if err := each(piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// Chunked is a body sent with the chunked transfer coding, as docker streams a layer.
type Chunked Fixed

func (c Chunked) head() string { return "Transfer-Encoding: chunked\r\n" }

func (c Chunked) send(socket net.Conn) error {
	if err := c.sendChunks(socket); err != nil {
		return err
	}
	_, err := io.WriteString(socket, "0\r\n\r\n")
	return err
}

// sendChunks writes the body without the chunk that ends it.
func (c Chunked) sendChunks(socket net.Conn) error {
	return Fixed(c).pieces(func(piece []byte) error {
		frame := net.Buffers{fmt.Appendf(nil, "%x\r\n", len(piece)), piece, []byte("\r\n")}
		_, err := frame.WriteTo(socket)
		return err
	})
}

// Answer is the head of a response; its body was read and counted.
type Answer struct {
	Status int
	Header http.Header
	Length int64
}

// Do sends one request and reads the whole answer. The target is a path with its query; headers are whole lines
// without line ends. A request without body that meets a connection which the server closed while it was idle is sent
// again, once; one with a body is not, since its time would count twice.
func (c *Conn) Do(method, target string, body Body, headers ...string) (Answer, error) {
	again := c.socket != nil && body == nil
	answer, err := c.attempt(method, target, body, headers)
	if err != nil && again {
		answer, err = c.attempt(method, target, body, headers)
	}
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", method, target, err)
	}
	return answer, nil
}

// Expect is Do for a request that must be answered with one of the statuses.
func (c *Conn) Expect(statuses []int, method, target string, body Body, headers ...string) (Answer, error) {
	answer, err := c.Do(method, target, body, headers...)
	if err != nil {
		return answer, err
	}
	for _, status := range statuses {
		if answer.Status == status {
			return answer, nil
		}
	}
	return answer, fmt.Errorf("%s %s: status %d, expected %v", method, target, answer.Status, statuses)
}

// Close ends the connection, whatever is under way on it.
func (c *Conn) Close() {
	if c.socket != nil {
		c.socket.Close()
		c.socket = nil
	}
}

func (c *Conn) attempt(method, target string, body Body, headers []string) (Answer, error) {
	if err := c.open(); err != nil {
		return Answer{}, err
	}
	answer, err := c.exchange(method, target, body, headers)
	if err != nil {
		c.Close()
	}
	return answer, err
}

func (c *Conn) open() error {
	if c.socket != nil {
		return nil
	}
	socket, err := net.DialTimeout("tcp", c.host, 10*time.Second)
	if err != nil {
		return err
	}
	c.socket = socket
	c.reader = bufio.NewReaderSize(socket, 64<<10)
	return nil
}

func (c *Conn) exchange(method, target string, body Body, headers []string) (Answer, error) {
	if err := c.socket.SetDeadline(time.Now().Add(patience)); err != nil {
		return Answer{}, err
	}
	// An error while sending is often the server's refusal: its answer says more than a broken pipe.
	sendErr := c.send(method, target, body, headers)
	response, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		if sendErr != nil {
			return Answer{}, sendErr
		}
		return Answer{}, err
	}
	length, err := c.drain(response.Body)
	if err != nil {
		return Answer{}, err
	}
	if response.Close || sendErr != nil {
		c.Close()
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Length: length}, nil
}

func (c *Conn) send(method, target string, body Body, headers []string) error {
	if body == nil && (method == "POST" || method == "PUT" || method == "PATCH") {
		body = Fixed{}
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\n", method, target, c.host)
	for _, line := range headers {
		head.WriteString(line + "\r\n")
	}
	if body != nil {
		head.WriteString(body.head())
	}
	head.WriteString("\r\n")
	if _, err := io.WriteString(c.socket, head.String()); err != nil || body == nil {
		return err
	}
	return body.send(c.socket)
}

// drain reads to the end. io.Copy is avoided: io.Discard would read 8 KiB at a time.
func (c *Conn) drain(body io.ReadCloser) (int64, error) {
	defer body.Close()
	var total int64
	for {
		n, err := body.Read(c.buffer)
		total += int64(n)
		if n == len(c.buffer) && n < chunkSize {
			c.buffer = make([]byte, min(2*n, chunkSize))
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
