package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// readyLimit is how long a server may take to be ready, recovery included.
	readyLimit = 10 * time.Second
	// stopLimit is how long it may take to end after SIGTERM when nothing is under way.
	stopLimit = 10 * time.Second
	// checkLimit bounds `havre check --deep`.
	checkLimit = 60 * time.Second
)

// Server is the server under test, started and killed as often as needed on the same data.
type Server struct {
	Binary  string
	Data    string
	Address string
	// Log takes what it prints, over all its lives.
	Log *os.File
	// Settings are passed as --set.
	Settings []string

	process *exec.Cmd
}

func (s *Server) options(settings []string) []string {
	options := []string{"--data-dir", s.Data}
	for _, setting := range append(settings, s.Settings...) {
		options = append(options, "--set", setting)
	}
	return options
}

// Start starts it; it may not be ready yet.
func (s *Server) Start(settings ...string) error {
	arguments := append([]string{"serve", "--open", "--listen", s.Address}, s.options(settings)...)
	s.process = exec.Command(s.Binary, arguments...)
	s.process.Stdout, s.process.Stderr = s.Log, s.Log
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return s.process.Start()
}

// AwaitReady polls until it is ready and returns how long that took.
func (s *Server) AwaitReady() (time.Duration, error) {
	began := time.Now()
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(began) < readyLimit {
		answer, err := client.Get("http://" + s.Address + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return time.Since(began), nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return 0, fmt.Errorf("the server was not ready after %v", readyLimit)
}

// Kill ends it with SIGKILL. It tells when it had ended by itself before.
func (s *Server) Kill() error {
	if !s.Alive() {
		return errors.New("the server had ended by itself")
	}
	if err := s.process.Process.Kill(); err != nil {
		return fmt.Errorf("the server cannot be killed: %w", err)
	}
	// It was killed, so this is an error by design.
	_ = s.process.Wait()
	return nil
}

// Alive tells whether the process runs.
func (s *Server) Alive() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest != "" && rest[0] != 'Z' && rest[0] != 'X'
}

// Stop ends it with SIGTERM; anything but exit status 0 in time is an error.
func (s *Server) Stop() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.process.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(stopLimit):
		_ = s.process.Process.Kill()
		return fmt.Errorf("it was still there %v after SIGTERM", stopLimit)
	}
}

// Check runs `havre check --deep` and returns what it printed, or an error with what it found.
func (s *Server) Check() (string, error) {
	return s.run("check", "--deep")
}

// Audit runs `havre audit verify` and returns what it printed, or an error with what it found.
func (s *Server) Audit() (string, error) {
	return s.run("audit", "verify")
}

func (s *Server) run(command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	check := exec.CommandContext(ctx, s.Binary, append(command, s.options(nil)...)...)
	var out, problems bytes.Buffer
	check.Stdout, check.Stderr = &out, &problems
	if err := check.Run(); err != nil {
		return "", fmt.Errorf("%w: %.1500s %.500s", err, out.String(), problems.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// Peak returns the most resident memory that it ever had, in bytes.
func (s *Server) Peak() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(status), "\n") {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kilobytes, err := strconv.Atoi(fields[1])
			return kilobytes * 1024, err
		}
	}
	return 0, errors.New("no VmHWM in /proc")
}

// Files returns how many files it has open.
func (s *Server) Files() (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.Process.Pid))
	return len(entries), err
}

// CPU returns the processor time that it has used.
func (s *Server) CPU() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	ticks := 0
	for _, index := range []int{11, 12} {
		if index < len(fields) {
			n, _ := strconv.Atoi(fields[index])
			ticks += n
		}
	}
	// Linux reports in hundredths of a second.
	return time.Duration(ticks) * 10 * time.Millisecond
}
