// Command load puts work on a registry and prints one line of JSON about it.
//
// It exists beside wrk and curl for what those cannot do: pushes whose digests are computed before the clock
// starts, HEAD at a high rate, and many transfers at once. Only the standard library is used, and the requests are
// written to the connection by hand, so that on a small machine the client takes as little of the processor as it can.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
)

// command runs one kind of work; what it returns is printed as JSON.
type command func(flags *flag.FlagSet, arguments []string) (any, error)

var commands = map[string]command{
	"blob":     runBlob,
	"hash":     runHash,
	"images":   runImages,
	"mix":      runMix,
	"pull":     runPull,
	"requests": runRequests,
	"uploads":  runUploads,
	"write":    runWrite,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: load COMMAND [flags]; commands:", strings.Join(names(), " "))
		os.Exit(2)
	}
	name := os.Args[1]
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	result, err := commands[name](flags, os.Args[2:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "load %s: %v\n", name, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fmt.Fprintf(os.Stderr, "load %s: %v\n", name, err)
		os.Exit(1)
	}
}

func names() []string {
	var list []string
	for name := range commands {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}
