package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"time"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// Content is a blob or manifest: its bytes and what they hash to.
type Content struct {
	Bytes  []byte
	Digest string
}

func contentOf(bytes []byte) Content {
	return Content{bytes, digestOf(bytes)}
}

func digestOf(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// noise makes the content that a seed stands for; the same seed and size give the same blob.
func noise(seed uint64, size int) Content {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(size))
	bytes := make([]byte, size)
	// ChaCha8 reads without error.
	_, _ = rand.NewChaCha8(key).Read(bytes)
	return contentOf(bytes)
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

func describe(mediaType string, content Content) descriptor {
	return descriptor{mediaType, content.Digest, len(content.Bytes)}
}

// imageOf makes an image manifest over a config and layers.
func imageOf(config Content, layers []Content) Content {
	listed := []descriptor{}
	for _, layer := range layers {
		listed = append(listed, describe(layerType, layer))
	}
	return marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        describe(configType, config),
		"layers":        listed,
	})
}

// indexOf makes an image index over manifests.
func indexOf(children []Content) Content {
	listed := []descriptor{}
	for _, child := range children {
		listed = append(listed, describe(manifestType, child))
	}
	return marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": listed})
}

func marshal(value any) Content {
	bytes, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return contentOf(bytes)
}

// slow gives out bytes in steps with pauses, so that a kill or a delete meets a body that is under way. It hides
// its length, so that it is sent chunked.
type slow struct {
	rest  []byte
	step  int
	pause time.Duration
}

func (s *slow) Read(out []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	n := copy(out, s.rest[:min(s.step, len(s.rest))])
	s.rest = s.rest[n:]
	return n, nil
}
