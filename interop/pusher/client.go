package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// requestLimit is how long any request may take: a server that hangs is a failure, not a longer test.
const requestLimit = 60 * time.Second

// Client is one client of the registry, with one connection. Were it allowed more, Go would open some in reserve, and a
// request that takes one at the moment the server gives it up fails without being anybody's fault.
type Client struct {
	base string
	http *http.Client
}

// Answer is a whole answer. A request without one ends in an error instead.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

func newClient(address string) *Client {
	transport := &http.Transport{
		MaxConnsPerHost:    1,
		DisableCompression: true,
		// Refusals come before the body is sent, as with docker.
		ExpectContinueTimeout: time.Second,
	}
	return &Client{"http://" + address, &http.Client{Transport: transport, Timeout: requestLimit}}
}

// Close lets go of idle connections.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
}

// Do sends a request and reads the whole answer. `body` is nil, []byte (sent with its length) or an io.Reader (sent
// chunked). `headers` are names and values in turn.
func (c *Client) Do(method, path string, body any, headers ...string) (*Answer, error) {
	response, err := c.Open(method, path, body, headers...)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: status %d, then %w", method, path, response.StatusCode, err)
	}
	return &Answer{response.StatusCode, response.Header, content}, nil
}

// Open sends a request and leaves the answer's body to the caller.
func (c *Client) Open(method, path string, body any, headers ...string) (*http.Response, error) {
	target := path
	if !strings.HasPrefix(path, "http") {
		target = c.base + path
	}
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(body)
	case io.Reader:
		reader = body
	}
	request, err := http.NewRequest(method, target, reader)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return c.http.Do(request)
}

// Code returns the error code of the specification that an answer carries.
func (a *Answer) Code() string {
	var body struct{ Errors []struct{ Code string } }
	if json.Unmarshal(a.Body, &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code
}

// String tells what an answer was, for failures.
func (a *Answer) String() string {
	return fmt.Sprintf("status %d %.200s", a.Status, a.Body)
}

func manifestPath(repository, reference string) string {
	return "/v2/" + repository + "/manifests/" + reference
}

func blobPath(repository, digest string) string {
	return "/v2/" + repository + "/blobs/" + digest
}

func uploadsPath(repository string) string {
	return "/v2/" + repository + "/blobs/uploads/"
}

// closing adds the digest to an upload's location.
func closing(location, digest string) string {
	separator := "?"
	if strings.Contains(location, "?") {
		separator = "&"
	}
	return location + separator + "digest=" + url.QueryEscape(digest)
}

// received reads how far an upload has come from its Range header, "0-N".
func received(header http.Header) (int, error) {
	_, last, found := strings.Cut(header.Get("Range"), "-")
	n, err := strconv.Atoi(last)
	if !found || err != nil {
		return 0, errors.New("the answer has no Range: " + header.Get("Range"))
	}
	if n == 0 {
		return 0, nil
	}
	return n + 1, nil
}
