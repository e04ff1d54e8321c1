package main

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Mode is how a blob is pushed.
type Mode string

const (
	// Monolithic is POST, then PUT with the whole body.
	Monolithic Mode = "monolithic"
	// Streamed is POST, one chunked PATCH, then an empty PUT.
	Streamed Mode = "streamed"
	// Docker is Streamed after a HEAD that asks whether the blob is there already.
	Docker Mode = "docker"
)

// parseMode returns the mode of that name.
func parseMode(text string) (Mode, error) {
	switch mode := Mode(text); mode {
	case Monolithic, Streamed, Docker:
		return mode, nil
	}
	return "", fmt.Errorf("mode %q is none of monolithic, streamed, docker", text)
}

// Blob is bytes and their digest.
type Blob struct {
	Body   Fixed
	Digest string
}

// Size is the number of bytes of the blob.
func (b Blob) Size() int { return b.Body.length() }

// newBlob hashes bytes.
func newBlob(content []byte) Blob {
	sum := sha256.Sum256(content)
	return Blob{Body: Fixed{content}, Digest: "sha256:" + hex.EncodeToString(sum[:])}
}

// Variants makes blobs that share a long beginning, hashed once, and differ in their last bytes.
type Variants struct {
	prefix []byte
	state  []byte
}

// newVariants hashes the beginning.
func newVariants(prefix []byte) (*Variants, error) {
	hash := sha256.New()
	hash.Write(prefix)
	state, err := hash.(encoding.BinaryMarshaler).MarshalBinary()
	return &Variants{prefix: prefix, state: state}, err
}

// Blob is the beginning followed by suffix.
func (v *Variants) Blob(suffix []byte) (Blob, error) {
	hash := sha256.New()
	if err := hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(v.state); err != nil {
		return Blob{}, err
	}
	hash.Write(suffix)
	return Blob{Body: Fixed{v.prefix, suffix}, Digest: "sha256:" + hex.EncodeToString(hash.Sum(nil))}, nil
}

// beginUpload opens an upload session and returns its request target.
func beginUpload(conn *Conn, repository string) (string, error) {
	answer, err := conn.Expect([]int{http.StatusAccepted}, "POST", "/v2/"+repository+"/blobs/uploads/", nil)
	if err != nil {
		return "", err
	}
	return target(answer)
}

// target is the path and query of an answer's Location, which registries send relative or absolute.
func target(answer Answer) (string, error) {
	location, err := url.Parse(answer.Header.Get("Location"))
	if err != nil {
		return "", err
	}
	if location.Path == "" {
		return "", fmt.Errorf("the answer has no Location")
	}
	return location.RequestURI(), nil
}

// closing is the target of the PUT that ends an upload.
func closing(target, digest string) string {
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return target + separator + "digest=" + url.QueryEscape(digest)
}

const octets = "Content-Type: application/octet-stream"

// pushBlob uploads a blob and returns when the registry has acknowledged it.
func pushBlob(conn *Conn, repository string, blob Blob, mode Mode) error {
	if mode == Docker {
		answer, err := conn.Do("HEAD", "/v2/"+repository+"/blobs/"+blob.Digest, nil)
		if err != nil || answer.Status == http.StatusOK {
			return err
		}
	}
	session, err := beginUpload(conn, repository)
	if err != nil {
		return err
	}
	var body Body = blob.Body
	if mode != Monolithic {
		answer, err := conn.Expect([]int{http.StatusAccepted}, "PATCH", session, Chunked(blob.Body), octets)
		if err != nil {
			return err
		}
		if session, err = target(answer); err != nil {
			return err
		}
		body = nil
	}
	_, err = conn.Expect([]int{http.StatusCreated}, "PUT", closing(session, blob.Digest), body, octets)
	return err
}
