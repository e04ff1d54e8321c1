// Pusher drives a real server hard: it kills it while clients push, or meets it with a thousand clients at once.
//
// It uses the standard library only and speaks to 127.0.0.1 only. It prints the lines of interop/lib.sh:
// "ok NAME: what" and "FAIL NAME: what".
package main

import (
	"fmt"
	"os"
	"runtime"
)

func init() {
	// The server is told to die with the thread that started it; the main thread lives as long as the program.
	runtime.LockOSThread()
}

func main() {
	commands := map[string]func([]string) error{"crash": crashCommand, "load": loadCommand}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: pusher crash|load [FLAG…]   (interop/crash and interop/load call it)")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Printf("FAIL %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
