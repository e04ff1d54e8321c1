package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// attempts is how often a push that the sweeper overtook is tried again.
const attempts = 5

// errExpired says that more than the grace period lay between the push of a blob and that of its manifest, so that the
// sweeper was right to remove it.
var errExpired = errors.New("a blob expired before its manifest came")

// pushBlob pushes a blob in one of two ways.
func (c *loadClient) pushBlob(repository string, content Content) error {
	if c.random.IntN(2) == 0 {
		_, err := c.want("POST", closing(uploadsPath(repository), content.Digest), content.Bytes, []int{201})
		return err
	}
	begun, err := c.want("POST", uploadsPath(repository), nil, []int{202})
	if err != nil {
		return err
	}
	_, err = c.want("PUT", closing(begun.Header.Get("Location"), content.Digest), content.Bytes, []int{201})
	return err
}

// pushManifest pushes a manifest whose blobs were pushed since `began`.
func (c *loadClient) pushManifest(repository, reference string, manifest Content, began time.Time) error {
	answer, err := c.want("PUT", manifestPath(repository, reference), manifest.Bytes, []int{201, 404}, "Content-Type", manifestType)
	if err != nil || answer.Status == 201 {
		return err
	}
	if answer.Code() == "MANIFEST_BLOB_UNKNOWN" && time.Since(began) >= loadGrace {
		c.stats.Expired.Add(1)
		return errExpired
	}
	c.report.Fail("PUT of a manifest %v after its first blob: %v", time.Since(began), answer)
	return errUnexpected
}

// pushAs pushes an image, again where the sweeper overtook it.
func (c *loadClient) pushAs(repository, tag string, layers []Content) (image, error) {
	config := marshal(map[string]any{"of": layers[0].Digest, "tag": tag})
	pushed := image{repository, tag, imageOf(config, layers), config, layers}
	for range attempts {
		began := time.Now()
		for _, blob := range append([]Content{config}, layers...) {
			if err := c.pushBlob(repository, blob); err != nil {
				return pushed, err
			}
		}
		err := c.pushManifest(repository, tag, pushed.manifest, began)
		if !errors.Is(err, errExpired) {
			return pushed, err
		}
	}
	return pushed, fmt.Errorf("a push took longer than %v, %d times", loadGrace, attempts)
}

func (c *loadClient) pushAndDelete() error {
	layers := []Content{noise(c.random.Uint64(), 1+c.random.IntN(40<<10)), noise(c.random.Uint64N(50), 8<<10)}
	pushed, err := c.pushAs(c.repository, "latest", layers)
	if err == nil {
		err = c.pullImage(pushed)
	}
	if err != nil {
		return err
	}
	if _, err := c.want("DELETE", manifestPath(c.repository, pushed.manifest.Digest), nil, []int{202}); err != nil {
		return err
	}
	return errors.Join(
		c.wantCode("GET", manifestPath(c.repository, "latest"), 404, "MANIFEST_UNKNOWN"),
		c.wantCode("DELETE", manifestPath(c.repository, pushed.manifest.Digest), 404, "MANIFEST_UNKNOWN"),
	)
}

// twins pushes the same new blob to two repositories, or twice to one, at once.
func (c *loadClient) twins() error {
	content := noise(c.random.Uint64(), 100<<10+c.random.IntN(400<<10))
	repositories := []string{c.repository, c.repository + "-twin"}
	if c.random.IntN(2) == 0 {
		repositories[1] = c.repository
	}
	began := time.Now()
	outcomes := make([]error, 2)
	var group sync.WaitGroup
	defer c.second.Close()
	for n, twin := range []*loadClient{c, c.other()} {
		group.Go(func() {
			path := closing(uploadsPath(repositories[n]), content.Digest)
			_, outcomes[n] = twin.want("POST", path, content.Bytes, []int{201})
		})
	}
	group.Wait()
	if err := errors.Join(outcomes...); err != nil {
		return errUnexpected
	}
	for _, repository := range repositories {
		answer, err := c.want("GET", blobPath(repository, content.Digest), nil, []int{200, 404})
		switch {
		case err != nil:
			return err
		case answer.Status == 404 && time.Since(began) < loadGrace:
			return fmt.Errorf("a blob pushed twice at once is gone %v later", time.Since(began))
		case answer.Status == 200 && digestOf(answer.Body) != content.Digest:
			return fmt.Errorf("a blob pushed twice at once came as %d other bytes", len(answer.Body))
		}
	}
	return nil
}

// deleteDuringPull deletes an image and its blob while the blob is pulled: the pull ends whole all the same.
func (c *loadClient) deleteDuringPull() error {
	layer := noise(c.random.Uint64(), 6<<20)
	pushed, err := c.pushAs(c.repository, "brief", []Content{layer})
	if err != nil {
		return err
	}
	path := blobPath(c.repository, layer.Digest)
	response, err := c.client.Open("GET", path, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var got bytes.Buffer
	if _, err := io.CopyN(&got, response.Body, 64<<10); err != nil {
		return err
	}
	other := c.other()
	defer other.client.Close()
	if _, err := other.want("DELETE", manifestPath(c.repository, pushed.manifest.Digest), nil, []int{202}); err != nil {
		return err
	}
	// The sweeper may be faster.
	if _, err := other.want("DELETE", path, nil, []int{202, 404}); err != nil {
		return err
	}
	time.Sleep(500 * time.Millisecond)
	if _, err := got.ReadFrom(response.Body); err != nil {
		return fmt.Errorf("a pull broke off after %d bytes because its blob was deleted: %w", got.Len(), err)
	}
	if digestOf(got.Bytes()) != layer.Digest {
		return fmt.Errorf("a pull of a blob that was deleted brought %d other bytes", got.Len())
	}
	return c.wantCode("GET", path, 404, "BLOB_UNKNOWN")
}

// duel pushes a manifest while its only layer is deleted. Either the manifest is there and the blob with it, or the
// blob went first and the manifest is refused.
func (c *loadClient) duel() error {
	layer := noise(c.random.Uint64(), 2000)
	config := marshal(map[string]any{"duel": layer.Digest})
	manifest := imageOf(config, []Content{layer})
	began := time.Now()
	if err := errors.Join(c.pushBlob(c.repository, config), c.pushBlob(c.repository, layer)); err != nil {
		return errUnexpected
	}
	var pushed, deleted *Answer
	var pushError, deleteError error
	var group sync.WaitGroup
	other := c.other()
	defer other.client.Close()
	group.Go(func() {
		pushed, pushError = c.want("PUT", manifestPath(c.repository, "duel"), manifest.Bytes, []int{201, 404}, "Content-Type", manifestType)
	})
	group.Go(func() {
		deleted, deleteError = other.want("DELETE", blobPath(c.repository, layer.Digest), nil, []int{202, 404, 405})
	})
	group.Wait()
	if pushError != nil || deleteError != nil {
		return errUnexpected
	}
	expired := time.Since(began) >= loadGrace
	switch {
	case pushed.Status == 201 && deleted.Status == 405:
		if err := c.pullImage(image{c.repository, "duel", manifest, config, []Content{layer}}); err != nil {
			return err
		}
		_, err := c.want("DELETE", manifestPath(c.repository, manifest.Digest), nil, []int{202})
		return err
	case pushed.Status == 404 && pushed.Code() == "MANIFEST_BLOB_UNKNOWN" && (deleted.Status == 202 || expired):
		_, err := c.want("HEAD", manifestPath(c.repository, "duel"), nil, []int{404})
		return err
	}
	return fmt.Errorf("a push and a delete that met ended in %v and %v", pushed, deleted)
}

// revive pushes a blob, waits until its grace period is about over, pushes it again and names it by a manifest. Some
// contents are the same for many clients.
func (c *loadClient) revive() error {
	layer := noise(5000+c.random.Uint64N(12), 30<<10)
	if c.random.IntN(2) == 0 {
		layer = noise(c.random.Uint64(), 30<<10)
	}
	if err := c.pushBlob(c.repository, layer); err != nil {
		return err
	}
	time.Sleep(loadGrace - 200*time.Millisecond + time.Duration(c.random.IntN(700))*time.Millisecond)
	pushed, err := c.pushAs(c.repository, "revived", []Content{layer})
	if err == nil {
		err = c.pullImage(pushed)
	}
	if err != nil {
		return err
	}
	_, err = c.want("DELETE", manifestPath(c.repository, pushed.manifest.Digest), nil, []int{202})
	return err
}
