package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"syscall"
)

// suffixLength is how many random bytes make a blob unlike every other.
const suffixLength = 32

// random returns fresh random bytes.
func random(length int) []byte {
	bytes := make([]byte, length)
	rand.Read(bytes) // Never fails, by its documentation.
	return bytes
}

// mapFile maps a file, read into memory beforehand, so that the clock counts no disk.
func mapFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if status.Size() == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return syscall.Mmap(int(file.Fd()), 0, int(status.Size()), syscall.PROT_READ,
		syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
}
