package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// errRefused is an answer that the worker did not expect; it has been reported.
var errRefused = errors.New("refused")

const (
	// sharedBlobs is how many contents all workers have in common, so that the same blob is pushed at once.
	sharedBlobs = 24
	// tagNames is how many tags a worker moves about.
	tagNames = 12
	// maxSessions is how many uploads a worker leaves half done.
	maxSessions = 3
)

// crashing is what the workers share.
type crashing struct {
	report *Report
	// killed is set just before the server is: only then may a request stay without an answer.
	killed atomic.Bool
	// sweeping says that this round's server removes what no manifest names after sweepGrace.
	sweeping bool
	// leases says that an upload stays held for a while by a server that was killed (PostgreSQL: it could be one of several).
	leases bool

	requests, resumed, restarted, expired atomic.Int64
}

// Worker is a client that pushes, moves and deletes in a repository of its own, one request after the other.
type Worker struct {
	*crashing
	repository string
	client     *Client
	ledger     *Ledger
	random     *rand.Rand
	sessions   []*session
}

// Run works until the server is killed.
func (w *Worker) Run() {
	for !w.killed.Load() {
		if err := w.step(); err != nil && !errors.Is(err, errRefused) {
			if !w.killed.Load() {
				w.report.Fail("%s: no answer from a server that was alive: %v", w.repository, err)
			}
			return
		}
	}
}

func (w *Worker) step() error {
	switch n := w.random.IntN(100); {
	case n < 50:
		return w.pushImage()
	case n < 58:
		return w.pushIndex()
	case n < 66:
		return w.beginSession()
	case n < 80:
		return w.continueSession()
	case n < 86:
		return w.deleteOne("tag", w.ledger.keys("tag"))
	case n < 92:
		return w.deleteOne("manifest", w.ledger.unreferenced("manifest"))
	case n < 97:
		return w.deleteOne("blob", w.ledger.unreferenced("blob"))
	default:
		return w.pullSomething()
	}
}

// call sends a request that must be answered by one of the statuses.
func (w *Worker) call(method, path string, body any, want []int, headers ...string) (*Answer, error) {
	w.requests.Add(1)
	answer, err := w.client.Do(method, path, body, headers...)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(want, answer.Status) {
		w.report.Fail("%s %.140s: expected status %v, got %v", method, path, want, answer)
		return answer, errRefused
	}
	return answer, nil
}

// change sends the request that makes a change, and keeps the ledger.
func (w *Worker) change(change map[string]string, method, path string, body any, want int, headers ...string) error {
	w.ledger.Begin(change)
	_, err := w.call(method, path, body, []int{want}, headers...)
	switch {
	case err == nil:
		w.ledger.Acknowledge()
	case errors.Is(err, errRefused):
		w.ledger.Refuse()
	}
	return err
}

// content makes a blob: often one that other workers push as well, mostly small.
func (w *Worker) content() Content {
	if w.random.IntN(3) == 0 {
		seed := w.random.Uint64N(sharedBlobs)
		return noise(seed, 1000+int(seed)*5000)
	}
	size := 1 + w.random.IntN(64<<10)
	if w.random.IntN(12) == 0 {
		size = 1 + w.random.IntN(3<<20)
	}
	return noise(w.random.Uint64(), size)
}

// pushBlob pushes a blob in one of the ways that clients have.
func (w *Worker) pushBlob(content Content) error {
	done := map[string]string{"blob:" + content.Digest: present}
	start := uploadsPath(w.repository)
	way := w.random.IntN(4)
	if way == 0 {
		return w.change(done, "POST", closing(start, content.Digest), content.Bytes, 201)
	}
	begun, err := w.call("POST", start, nil, []int{202})
	if err != nil {
		return err
	}
	location := begun.Header.Get("Location")
	switch way {
	case 1:
		return w.change(done, "PUT", closing(location, content.Digest), content.Bytes, 201)
	case 2:
		// As docker does: all bytes in one PATCH of unknown length, an empty PUT.
		body := &slow{content.Bytes, 16 << 10, time.Duration(w.random.IntN(3)) * time.Millisecond}
		if _, err := w.call("PATCH", location, body, []int{202}); err != nil {
			return err
		}
		return w.change(done, "PUT", closing(location, content.Digest), nil, 201)
	default:
		return w.pushChunks(location, content, done)
	}
}

// pushChunks sends chunks with their ranges; the last one goes with the PUT.
func (w *Worker) pushChunks(location string, content Content, done map[string]string) error {
	chunk := len(content.Bytes)/3 + 1
	from := 0
	for ; from+chunk < len(content.Bytes); from += chunk {
		headers := []string{"Content-Range", fmt.Sprintf("%d-%d", from, from+chunk-1)}
		if _, err := w.call("PATCH", location, content.Bytes[from:from+chunk], []int{202}, headers...); err != nil {
			return err
		}
	}
	headers := []string{"Content-Range", fmt.Sprintf("%d-%d", from, len(content.Bytes)-1)}
	return w.change(done, "PUT", closing(location, content.Digest), content.Bytes[from:], 201, headers...)
}

// pushImage pushes layers, a config and the manifest, by tag or by digest with tags beside it.
func (w *Worker) pushImage() error {
	began := time.Now()
	var layers []Content
	for range 1 + w.random.IntN(3) {
		layers = append(layers, w.content())
	}
	config := marshal(map[string]any{"created": w.random.Uint64()})
	references := []string{"blob:" + config.Digest}
	for _, layer := range append([]Content{config}, layers...) {
		if err := w.pushBlob(layer); err != nil {
			return err
		}
		references = append(references, "blob:"+layer.Digest)
	}
	return w.pushManifest(imageOf(config, layers), manifestType, references, began)
}

// pushIndex pushes an index over two of the images.
func (w *Worker) pushIndex() error {
	images := slices.DeleteFunc(w.ledger.keys("manifest"), func(key string) bool {
		return w.ledger.mediaTypes[strings.TrimPrefix(key, "manifest:")] != manifestType
	})
	if len(images) < 2 {
		return w.pushImage()
	}
	var children []Content
	var references []string
	for range 2 {
		key := images[w.random.IntN(len(images))]
		children = append(children, w.ledger.contents[strings.TrimPrefix(key, "manifest:")])
		references = append(references, key)
	}
	return w.pushManifest(indexOf(children), indexType, references, time.Now())
}

func (w *Worker) pushManifest(manifest Content, mediaType string, references []string, began time.Time) error {
	w.ledger.Manifest(manifest, mediaType, references...)
	change := map[string]string{"manifest:" + manifest.Digest: present}
	tag := func() string {
		name := fmt.Sprintf("v%d", w.random.IntN(tagNames))
		change["tag:"+name] = manifest.Digest
		return name
	}
	path := ""
	if w.random.IntN(3) == 0 {
		path = manifestPath(w.repository, manifest.Digest) + "?tag=" + tag() + "&tag=" + tag()
	} else {
		path = manifestPath(w.repository, tag())
	}
	w.ledger.Begin(change)
	answer, err := w.client.Do("PUT", path, manifest.Bytes, "Content-Type", mediaType)
	w.requests.Add(1)
	if err != nil {
		return err
	}
	expired := w.sweeping && time.Since(began) >= sweepGrace && answer.Code() == "MANIFEST_BLOB_UNKNOWN"
	switch {
	case answer.Status == 201:
		w.ledger.Acknowledge()
		return nil
	case expired:
		w.expired.Add(1)
	default:
		w.report.Fail("PUT %s: expected 201, got %v", path, answer)
	}
	w.ledger.Refuse()
	return errRefused
}

// deleteOne deletes one of the keys.
func (w *Worker) deleteOne(kind string, keys []string) error {
	if len(keys) == 0 {
		return w.pushImage()
	}
	key := keys[w.random.IntN(len(keys))]
	name := strings.TrimPrefix(key, kind+":")
	switch kind {
	case "tag":
		return w.change(map[string]string{key: absent}, "DELETE", manifestPath(w.repository, name), nil, 202)
	case "manifest":
		return w.change(w.ledger.Removal(key), "DELETE", manifestPath(w.repository, name), nil, 202)
	}
	if w.sweeping {
		// The sweeper may be faster.
		delete(w.ledger.state, key)
		_, err := w.call("DELETE", blobPath(w.repository, name), nil, []int{202, 404})
		return err
	}
	return w.change(map[string]string{key: absent}, "DELETE", blobPath(w.repository, name), nil, 202)
}

// pullSomething verifies one key while the others push.
func (w *Worker) pullSomething() error {
	keys := w.ledger.keys("manifest")
	if len(keys) == 0 {
		return w.pushImage()
	}
	key := keys[w.random.IntN(len(keys))]
	value, err := w.actual(key)
	if err == nil && value != w.ledger.state[key] {
		w.report.Fail("%s: %s is %q, acknowledged was %q", w.repository, key, value, w.ledger.state[key])
	}
	return err
}

// actual asks the server for the value of a key. Content that does not hash to its digest is reported.
func (w *Worker) actual(key string) (string, error) {
	kind, name, _ := strings.Cut(key, ":")
	path := manifestPath(w.repository, name)
	if kind == "blob" {
		path = blobPath(w.repository, name)
	}
	answer, err := w.call("GET", path, nil, []int{200, 404}, "Accept", manifestType+", "+indexType)
	if err != nil || answer.Status == 404 {
		return absent, err
	}
	digest := digestOf(answer.Body)
	if kind == "tag" {
		return digest, nil
	}
	if digest != name {
		w.report.Fail("%s: %s came as %d bytes that hash to %s", w.repository, key, len(answer.Body), digest)
		return "damaged", nil
	}
	return present, nil
}
