package main

import (
	"flag"
	"time"
)

// blobResult is one push of a large blob.
type blobResult struct {
	Digest  string  `json:"digest"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// runBlob pushes one large blob; the digest is computed before the clock starts.
func runBlob(flags *flag.FlagSet, arguments []string) (any, error) {
	server := flags.String("server", "", "base URL of the registry")
	repository := flags.String("repository", "bench/large", "repository to push to")
	file := flags.String("file", "", "file with the bytes")
	vary := flags.Bool("vary", false, "append random bytes, so that the registry has not seen the blob")
	modeName := flags.String("mode", string(Monolithic), "monolithic, streamed or docker")
	flags.Parse(arguments)
	mode, err := parseMode(*modeName)
	if err != nil {
		return nil, err
	}
	content, err := mapFile(*file)
	if err != nil {
		return nil, err
	}
	variants, err := newVariants(content)
	if err != nil {
		return nil, err
	}
	var suffix []byte
	if *vary {
		suffix = random(suffixLength)
	}
	blob, err := variants.Blob(suffix)
	if err != nil {
		return nil, err
	}
	conn, err := NewConn(*server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	start := time.Now()
	if err := pushBlob(conn, *repository, blob, mode); err != nil {
		return nil, err
	}
	return blobResult{Digest: blob.Digest, Bytes: blob.Size(), Seconds: time.Since(start).Seconds()}, nil
}
