package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"time"
)

// countResult is so many whole operations, and what they took.
type countResult struct {
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"`
	Latency
}

// repositoryCount is over how many repositories the images are spread.
const repositoryCount = 16

// runImages pushes many small images. All bytes and digests are made before the clock starts.
func runImages(flags *flag.FlagSet, arguments []string) (any, error) {
	server := flags.String("server", "", "base URL of the registry")
	prefix := flags.String("repository", "bench/images", "prefix of the repositories")
	count := flags.Int("images", 100, "how many images")
	layers := flags.Int("layers", 3, "layers of each")
	size := flags.Int("size", 16<<10, "bytes of each layer")
	connections := flags.Int("connections", 8, "connections")
	modeName := flags.String("mode", string(Monolithic), "monolithic, streamed or docker")
	flags.Parse(arguments)
	mode, err := parseMode(*modeName)
	if err != nil {
		return nil, err
	}
	// The run's own mark keeps tags and labels of two runs on one registry apart.
	mark := hex.EncodeToString(random(4))
	images := make([]Image, *count)
	for index := range images {
		repository := fmt.Sprintf("%s-%d", *prefix, index%repositoryCount)
		tag := fmt.Sprintf("%s-%d", mark, index)
		images[index] = newImage(repository, tag, tag, randomLayers(*layers, *size))
	}
	start := time.Now()
	times, err := eachOn(*server, *connections, *count, func(conn *Conn, index int) error {
		return images[index].Push(conn, mode)
	})
	if err != nil {
		return nil, err
	}
	return countResult{Count: *count, Seconds: time.Since(start).Seconds(), Latency: latency(times)}, nil
}

func randomLayers(count, size int) []Blob {
	layers := make([]Blob, count)
	for index := range layers {
		layers[index] = newBlob(random(size))
	}
	return layers
}
