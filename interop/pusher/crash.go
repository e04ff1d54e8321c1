package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	crashWorkers = 6
	// sweepGrace is the grace period of the rounds in which the sweeper works beside the clients.
	sweepGrace = time.Second
	// sampled is how many older keys each worker verifies after a restart, beside those of the last two rounds.
	sampled = 15
)

// crashRun is a whole crash test.
type crashRun struct {
	crashing
	server  *Server
	workers []*Worker
	random  *rand.Rand
	// swept says that a server with a short grace period has run since the last verification.
	swept          bool
	ready, slowest time.Duration
	verified       int
}

func crashCommand(arguments []string) error {
	flags := flag.NewFlagSet("crash", flag.ExitOnError)
	server := &Server{Log: os.Stderr}
	flags.StringVar(&server.Binary, "havre", "", "the server's program")
	flags.StringVar(&server.Data, "data", "", "its data directory")
	flags.StringVar(&server.Address, "listen", "", "its address")
	kills := flags.Int("kills", 20, "how often it is killed")
	seed := flags.Uint64("seed", 0, "repeats the choices of a run; their timing remains chance")
	journal := flags.String("journal", "", "file that takes all that was asked and acknowledged")
	leases := flags.Bool("leases", false, "uploads stay held for a while after a kill, as on PostgreSQL")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	file, err := os.Create(*journal)
	if err != nil {
		return err
	}
	run := &crashRun{server: server, random: rand.New(rand.NewPCG(*seed, 0))}
	run.report, run.leases = newReport("crash"), *leases
	defer file.Close()
	shared := &lockedFile{file: file}
	for n := range crashWorkers {
		run.workers = append(run.workers, &Worker{
			crashing:   &run.crashing,
			repository: fmt.Sprintf("crash/w%d", n),
			client:     newClient(server.Address),
			ledger:     newLedger(bufio.NewWriter(shared)),
			random:     rand.New(rand.NewPCG(*seed, uint64(n)+1)),
		})
	}
	err = run.all(*kills)
	for _, worker := range run.workers {
		err = errors.Join(err, worker.ledger.journal.Flush())
	}
	if err != nil {
		return err
	}
	run.report.Exit()
	return nil
}

func (r *crashRun) all(kills int) error {
	for n := range kills {
		if err := r.round(n + 1); err != nil {
			return err
		}
	}
	return r.end(kills + 1)
}

// lockedFile lets several writers append to one file.
type lockedFile struct {
	mutex sync.Mutex
	file  *os.File
}

func (l *lockedFile) Write(bytes []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.file.Write(bytes)
}

// round starts the server, verifies, lets the workers push and kills it.
func (r *crashRun) round(number int) error {
	before := r.acknowledged()
	r.sweeping = number%4 == 0
	settings := r.settings()
	// `havre check` runs on what a kill left, beside an idle server, and beside pushes, in turn.
	if number%3 == 1 && number > 1 {
		r.check("on what kill %d left", number-1)
	}
	if number%5 == 0 {
		if err := r.killEarly(settings); err != nil {
			return err
		}
	}
	if err := r.begin(number, settings); err != nil {
		return err
	}
	if number%3 == 2 {
		r.check("beside the server after kill %d", number-1)
	}
	worked, err := r.workAndKill(number)
	if err != nil {
		return err
	}
	r.report.Ok("kill %d after %v of work: %d changes acknowledged, %d keys verified before", number,
		worked.Round(time.Millisecond), r.acknowledged()-before, r.verified)
	return nil
}

func (r *crashRun) settings() []string {
	settings := []string{"storage.sweep_interval=200ms", "log.access=false"}
	if r.sweeping {
		settings = append(settings, "storage.unreferenced_grace="+sweepGrace.String())
	}
	return settings
}

// killEarly kills a server while it starts.
func (r *crashRun) killEarly(settings []string) error {
	if err := r.server.Start(settings...); err != nil {
		return err
	}
	r.swept = r.swept || r.sweeping
	time.Sleep(time.Duration(r.random.IntN(40)) * time.Millisecond)
	return r.server.Kill()
}

// begin starts the server and verifies.
func (r *crashRun) begin(number int, settings []string) error {
	if err := r.server.Start(settings...); err != nil {
		return err
	}
	ready, err := r.server.AwaitReady()
	if err != nil {
		return err
	}
	r.ready += ready
	r.slowest = max(r.slowest, ready)
	r.swept = r.swept || r.sweeping
	r.verify(number-2, sampled)
	r.swept = r.sweeping
	return nil
}

func (r *crashRun) verify(since, more int) {
	counts := make([]int, len(r.workers))
	r.each(func(n int, worker *Worker) { counts[n] = worker.Verify(since, more, r.swept) })
	r.verified = 0
	for _, count := range counts {
		r.verified += count
	}
}

// each does something for all workers at once.
func (r *crashRun) each(do func(int, *Worker)) {
	var group sync.WaitGroup
	for n, worker := range r.workers {
		group.Go(func() { do(n, worker) })
	}
	group.Wait()
}

// workAndKill lets the workers push and kills the server under them.
func (r *crashRun) workAndKill(number int) (time.Duration, error) {
	r.killed.Store(false)
	for _, worker := range r.workers {
		worker.ledger.round = number
	}
	var group sync.WaitGroup
	for _, worker := range r.workers {
		group.Go(worker.Run)
	}
	if number%3 == 0 {
		group.Go(func() { r.check("beside pushes and kill %d", number) })
	}
	worked := time.Duration(50+r.random.IntN(751)) * time.Millisecond
	time.Sleep(worked)
	r.killed.Store(true)
	err := r.server.Kill()
	group.Wait()
	for _, worker := range r.workers {
		worker.client.Close()
	}
	return worked, err
}

func (r *crashRun) check(format string, args ...any) {
	when := fmt.Sprintf(format, args...)
	if _, err := r.server.Check(); err != nil {
		r.report.Fail("havre check --deep %s: %v", when, err)
	}
	if _, err := r.server.Audit(); err != nil {
		r.report.Fail("havre audit verify %s: %v", when, err)
	}
}

func (r *crashRun) acknowledged() int {
	sum := 0
	for _, worker := range r.workers {
		sum += worker.ledger.Acknowledged
	}
	return sum
}

// end verifies everything, ends what was left half done and stops the server as an operator does.
func (r *crashRun) end(number int) error {
	r.sweeping = false
	if err := r.begin(number, r.settings()); err != nil {
		return err
	}
	r.verify(0, 0)
	everything := r.verified
	before := r.report.Failed()
	held := make([]int, len(r.workers))
	r.each(func(n int, worker *Worker) { held[n] = worker.FinishSessions() })
	r.verify(number, 0)
	leased := 0
	for _, n := range held {
		leased += n
	}
	r.report.Check(r.report.Failed() == before, "uploads left half done are ended (%d resumed where a kill broke them, "+
		"%d begun again because the kill met their last request, %d held by a dead server's lease)", r.resumed.Load(),
		r.restarted.Load(), leased)
	r.report.Check(r.server.Stop() == nil, "the server ends on SIGTERM")
	line, err := r.server.Check()
	if err == nil {
		r.report.Ok("havre check --deep at the end: %s", line)
	} else {
		r.report.Fail("havre check --deep at the end: %v", err)
	}
	if line, err := r.server.Audit(); err == nil {
		first, _, _ := strings.Cut(line, "\n")
		r.report.Check(strings.HasPrefix(first, "ok: ") && !strings.Contains(line, "not chained yet"),
			"havre audit verify at the end: %s", first)
	} else {
		r.report.Fail("havre audit verify at the end: %v", err)
	}
	kills := time.Duration(number)
	r.report.Note("%d requests, %d changes acknowledged, %d keys verified at the end, %d pushes met the sweeper's grace "+
		"period; ready after %v on average, %v at most", r.requests.Load(), r.acknowledged(), everything, r.expired.Load(),
		(r.ready / kills).Round(time.Millisecond), r.slowest.Round(time.Millisecond))
	return nil
}
