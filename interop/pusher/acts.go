package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// act is something that a client of the crowd does.
type act struct {
	name, what string
	// weight is how often it is chosen, out of the sum of all.
	weight int
	do     func(*loadClient) error
}

var acts = []act{
	{"pull", "an image is pulled whole", 22, (*loadClient).pull},
	{"conditional", "a manifest is asked for with its ETag: 304", 10, (*loadClient).conditional},
	{"range", "ranges of a blob are pulled: 206 and 416", 10, (*loadClient).ranges},
	{"missing", "what is not there is 404, by its code", 8, (*loadClient).missing},
	{"lists", "tags are listed", 8, (*loadClient).lists},
	{"slow", "a large blob is pulled slowly", 4, (*loadClient).slowPull},
	{"push", "an image is pushed, pulled, deleted, and then is 404", 14, (*loadClient).pushAndDelete},
	{"mount", "a blob is mounted from another repository", 4, (*loadClient).mount},
	{"referenced", "what is referenced is not deleted: 405", 5, (*loadClient).deleteReferenced},
	{"twins", "the same blob is pushed twice at once", 5, (*loadClient).twins},
	{"cut", "a blob is deleted during its pull, which ends whole", 2, (*loadClient).deleteDuringPull},
	{"duel", "a blob is deleted while a manifest that names it is pushed: one of both wins", 5, (*loadClient).duel},
	{"revive", "a blob is pushed again while the sweeper removes it", 8, (*loadClient).revive},
	{"abandon", "a client goes away in the middle of a push or pull", 3, (*loadClient).abandon},
}

// errUnexpected is an answer that should not have been; it has been reported.
var errUnexpected = errors.New("unexpected answer")

// act does one thing, chosen by weight.
func (c *loadClient) act() {
	sum := 0
	for _, act := range acts {
		sum += act.weight
	}
	n := c.random.IntN(sum)
	for _, act := range acts {
		if n -= act.weight; n < 0 {
			if err := act.do(c); err == nil {
				c.stats.Done(act.name)
			} else if !errors.Is(err, errUnexpected) {
				c.report.Fail("%s: %v", act.name, err)
			}
			return
		}
	}
}

// other is the same client on its second connection, which the caller closes.
func (c *loadClient) other() *loadClient {
	other := *c
	other.client = c.second
	return &other
}

// want sends a request that must be answered by one of the statuses.
func (c *loadClient) want(method, path string, body any, statuses []int, headers ...string) (*Answer, error) {
	began := time.Now()
	answer, err := c.client.Do(method, path, body, headers...)
	c.stats.Request(method, time.Since(began))
	if err != nil {
		c.report.Fail("%s %.120s: %v", method, path, err)
		return nil, errUnexpected
	}
	c.stats.Bytes.Add(int64(len(answer.Body)))
	if !slices.Contains(statuses, answer.Status) {
		c.report.Fail("%s %.120s: expected %v, got %v", method, path, statuses, answer)
		return answer, errUnexpected
	}
	return answer, nil
}

// wantCode sends a request that must be refused with a status and a code of the specification.
func (c *loadClient) wantCode(method, path string, status int, code string) error {
	answer, err := c.want(method, path, nil, []int{status})
	if err == nil && answer.Code() != code {
		c.report.Fail("%s %.120s: expected code %s, got %v", method, path, code, answer)
		return errUnexpected
	}
	return err
}

// wantContent pulls what must hash to its digest.
func (c *loadClient) wantContent(path string, content Content) error {
	answer, err := c.want("GET", path, nil, []int{200})
	if err == nil && !bytes.Equal(answer.Body, content.Bytes) {
		c.report.Fail("GET %s: %d bytes that hash to %s", path, len(answer.Body), digestOf(answer.Body))
		return errUnexpected
	}
	return err
}

func (c *loadClient) anyImage() image {
	return c.images[c.random.IntN(len(c.images))]
}

func (c *loadClient) pull() error { return c.pullImage(c.anyImage()) }

func (c *loadClient) pullImage(image image) error {
	err := c.wantContent(manifestPath(image.repository, image.tag), image.manifest)
	for _, blob := range append([]Content{image.config}, image.layers...) {
		if err != nil {
			return err
		}
		err = c.wantContent(blobPath(image.repository, blob.Digest), blob)
	}
	return err
}

func (c *loadClient) conditional() error {
	image := c.anyImage()
	path := manifestPath(image.repository, image.tag)
	answer, err := c.want("HEAD", path, nil, []int{200})
	if err != nil {
		return err
	}
	_, err = c.want("GET", path, nil, []int{304}, "If-None-Match", answer.Header.Get("ETag"))
	return err
}

func (c *loadClient) ranges() error {
	image := c.anyImage()
	layer := image.layers[c.random.IntN(len(image.layers))]
	path := blobPath(image.repository, layer.Digest)
	from := c.random.IntN(len(layer.Bytes) - 1)
	to := from + c.random.IntN(len(layer.Bytes)-from)
	answer, err := c.want("GET", path, nil, []int{206}, "Range", fmt.Sprintf("bytes=%d-%d", from, to))
	if err != nil {
		return err
	}
	if !bytes.Equal(answer.Body, layer.Bytes[from:to+1]) {
		return fmt.Errorf("bytes %d-%d of %s came as %d other bytes", from, to, layer.Digest, len(answer.Body))
	}
	_, err = c.want("GET", path, nil, []int{416}, "Range", fmt.Sprintf("bytes=%d-", len(layer.Bytes)))
	return err
}

func (c *loadClient) missing() error {
	repository := c.anyImage().repository
	unknown := noise(c.random.Uint64(), 10).Digest
	return errors.Join(
		c.wantCode("GET", manifestPath(repository, "never-pushed"), 404, "MANIFEST_UNKNOWN"),
		c.wantCode("GET", blobPath(repository, unknown), 404, "BLOB_UNKNOWN"),
		c.wantCode("GET", manifestPath("nobody/nothing", "v1"), 404, "NAME_UNKNOWN"),
		c.wantCode("DELETE", manifestPath(repository, unknown), 404, "MANIFEST_UNKNOWN"),
	)
}

func (c *loadClient) lists() error {
	image := c.anyImage()
	answer, err := c.want("GET", "/v2/"+image.repository+"/tags/list", nil, []int{200})
	if err != nil {
		return err
	}
	if !strings.Contains(string(answer.Body), `"`+image.tag+`"`) {
		return fmt.Errorf("the tags of %s lack %s: %.300s", image.repository, image.tag, answer.Body)
	}
	_, err = c.want("GET", "/v2/"+image.repository+"/referrers/"+image.manifest.Digest, nil, []int{200})
	return err
}

// slowPull takes about two seconds for 4 MiB.
func (c *loadClient) slowPull() error {
	image := c.images[c.random.IntN(len(c.images)/8)*8]
	layer := image.layers[2]
	response, err := c.client.Open("GET", blobPath(image.repository, layer.Digest), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var got bytes.Buffer
	for {
		n, err := io.CopyN(&got, response.Body, 128<<10)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("a slow pull broke off after %d bytes: %w", got.Len(), err)
		}
		c.stats.Bytes.Add(n)
		time.Sleep(60 * time.Millisecond)
	}
	if digestOf(got.Bytes()) != layer.Digest {
		return fmt.Errorf("a slow pull brought %d other bytes", got.Len())
	}
	return nil
}

func (c *loadClient) mount() error {
	image := c.anyImage()
	query := "?mount=" + image.layers[0].Digest + "&from=" + image.repository
	if _, err := c.want("POST", uploadsPath(c.repository)+query, nil, []int{201}); err != nil {
		return err
	}
	// Within the grace period it is there; later the sweeper may have come.
	_, err := c.want("HEAD", blobPath(c.repository, image.layers[0].Digest), nil, []int{200, 404})
	return err
}

func (c *loadClient) deleteReferenced() error {
	image := c.anyImage()
	return errors.Join(
		c.wantCode("DELETE", blobPath(image.repository, image.layers[0].Digest), 405, "DENIED"),
		c.wantCode("DELETE", manifestPath(c.images[0].repository, c.images[0].manifest.Digest), 405, "DENIED"),
	)
}

// abandon breaks a connection off in the middle of a body, in either direction.
func (c *loadClient) abandon() error {
	connection, err := net.Dial("tcp", c.server.Address)
	if err != nil {
		return err
	}
	defer connection.Close()
	image := c.images[0]
	if c.random.IntN(2) == 0 {
		_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n",
			blobPath(image.repository, image.layers[2].Digest), c.server.Address)
		if err == nil {
			_, err = io.CopyN(io.Discard, connection, 10000)
		}
		return err
	}
	begun, err := c.want("POST", uploadsPath(c.repository), nil, []int{202})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(connection, "PATCH %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 100000\r\n\r\n%s",
		begun.Header.Get("Location"), c.server.Address, strings.Repeat("x", 50000))
	return err
}
