package main

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// Image is what a push of one image sends.
type Image struct {
	Repository, Tag string
	Config          Blob
	Layers          []Blob
	Manifest        []byte
}

// newImage makes the config and the manifest over the layers; label makes the config unlike any other's.
func newImage(repository, tag, label string, layers []Blob) Image {
	config := newBlob(fmt.Appendf(nil,
		`{"architecture":"amd64","os":"linux","config":{"Labels":{"bench":%q}},"rootfs":{"type":"layers","diff_ids":[]}}`,
		label))
	return Image{
		Repository: repository, Tag: tag, Config: config, Layers: layers, Manifest: manifest(config, layers),
	}
}

func manifest(config Blob, layers []Blob) []byte {
	var list []string
	for _, layer := range layers {
		list = append(list, descriptor(layerType, layer))
	}
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`,
		manifestType, descriptor(configType, config), strings.Join(list, ","))
}

func descriptor(mediaType string, blob Blob) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, blob.Digest, blob.Size())
}

// Push uploads the layers, the config and the manifest, in that order.
func (i Image) Push(conn *Conn, mode Mode) error {
	for _, blob := range i.blobs() {
		if err := pushBlob(conn, i.Repository, blob, mode); err != nil {
			return err
		}
	}
	_, err := conn.Expect([]int{http.StatusCreated}, "PUT", i.target(), Fixed{i.Manifest},
		"Content-Type: "+manifestType)
	return err
}

// Pull asks for the manifest by tag, then for every blob.
func (i Image) Pull(conn *Conn) error {
	ok := []int{http.StatusOK}
	if _, err := conn.Expect(ok, "GET", i.target(), nil, "Accept: "+manifestType); err != nil {
		return err
	}
	for _, blob := range i.blobs() {
		answer, err := conn.Expect(ok, "GET", "/v2/"+i.Repository+"/blobs/"+blob.Digest, nil)
		if err != nil {
			return err
		}
		if answer.Length != int64(blob.Size()) {
			return fmt.Errorf("blob %s: %d bytes came instead of %d", blob.Digest, answer.Length, blob.Size())
		}
	}
	return nil
}

func (i Image) target() string { return "/v2/" + i.Repository + "/manifests/" + i.Tag }

// blobs are the layers, then the config. A fresh slice: images may share their layers.
func (i Image) blobs() []Blob { return append(append([]Blob{}, i.Layers...), i.Config) }
