package main

import (
	"crypto/sha256"
	"flag"
	"os"
	"time"
)

// runHash hashes a file that lies in memory: no push can be faster than that on one core.
func runHash(flags *flag.FlagSet, arguments []string) (any, error) {
	file := flags.String("file", "", "file with the bytes")
	flags.Parse(arguments)
	content, err := mapFile(*file)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	sha256.Sum256(content)
	return transferResult{Bytes: int64(len(content)), Seconds: time.Since(start).Seconds()}, nil
}

// runWrite writes the bytes to a new file, makes them durable and removes the file.
func runWrite(flags *flag.FlagSet, arguments []string) (any, error) {
	file := flags.String("file", "", "file with the bytes")
	to := flags.String("to", "", "file to write")
	flags.Parse(arguments)
	content, err := mapFile(*file)
	if err != nil {
		return nil, err
	}
	defer os.Remove(*to)
	start := time.Now()
	if err := writeDurably(*to, content); err != nil {
		return nil, err
	}
	return transferResult{Bytes: int64(len(content)), Seconds: time.Since(start).Seconds()}, nil
}

func writeDurably(path string, content []byte) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	err = Fixed{content}.pieces(func(piece []byte) error {
		_, err := out.Write(piece)
		return err
	})
	if err != nil {
		return err
	}
	return out.Sync()
}
