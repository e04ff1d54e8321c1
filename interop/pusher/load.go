package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// loadGrace is the grace period of blobs that no manifest names; the sweeper works all the time.
	loadGrace = time.Second
	// baseImages are pushed first and only read afterwards.
	baseImages = 24
	// pause is how long a client rests between two acts on average: it is a crowd of clients, not a benchmark.
	pause = 1200 * time.Millisecond
	// drainLimit is how long the server may take to let go of the files of clients that have gone.
	drainLimit = 10 * time.Second
)

// load is what all clients of a load test share.
type load struct {
	report *Report
	stats  *Stats
	server *Server
	images []image
}

// image is an image that was pushed: all that a pull has to bring.
type image struct {
	repository, tag  string
	manifest, config Content
	layers           []Content
}

// loadClient is one of the crowd.
type loadClient struct {
	*load
	client     *Client
	repository string
	// second is there for acts that need two connections.
	second *Client
	random *rand.Rand
}

func loadCommand(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	server := &Server{Log: os.Stderr}
	flags.StringVar(&server.Binary, "havre", "", "the server's program")
	flags.StringVar(&server.Data, "data", "", "its data directory")
	flags.StringVar(&server.Address, "listen", "", "its address")
	seconds := flags.Int("seconds", 60, "how long the load lasts")
	clients := flags.Int("clients", 1000, "how many clients there are, each with a connection of its own, and a second one for a moment where it races itself")
	bound := flags.Int("memory", 512, "the most memory that the server may ever need, in MiB")
	seed := flags.Uint64("seed", 0, "repeats the choices of a run")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	l := &load{report: newReport("load"), stats: newStats(), server: server}
	settings := []string{"storage.unreferenced_grace=" + loadGrace.String(), "storage.sweep_interval=200ms",
		"storage.upload_expiry=10s", "log.access=false"}
	if err := server.Start(settings...); err != nil {
		return err
	}
	if _, err := server.AwaitReady(); err != nil {
		return err
	}
	if err := l.pushBase(); err != nil {
		return err
	}
	files, err := server.Files()
	if err != nil {
		return err
	}
	l.crowd(*clients, time.Duration(*seconds)*time.Second, *seed)
	l.judge(*bound, files)
	l.report.Exit()
	return nil
}

// pushBase pushes the images that everybody pulls.
func (l *load) pushBase() error {
	c := &loadClient{load: l, client: newClient(l.server.Address), random: rand.New(rand.NewPCG(1, 1))}
	defer c.client.Close()
	for n := range baseImages {
		repository := fmt.Sprintf("base/image%d", n%6)
		layers := []Content{noise(uint64(n), 20<<10), noise(uint64(n)+1000, 300<<10)}
		if n%8 == 0 {
			layers = append(layers, noise(uint64(n)+2000, 4<<20))
		}
		pushed, err := c.pushAs(repository, fmt.Sprintf("v%d", n), layers)
		if err != nil {
			return fmt.Errorf("the first images cannot be pushed: %w", err)
		}
		l.images = append(l.images, pushed)
	}
	// An index, whose children may not be deleted.
	index := indexOf([]Content{l.images[0].manifest})
	_, err := c.want("PUT", manifestPath(l.images[0].repository, "index"), index.Bytes, []int{201}, "Content-Type", indexType)
	return err
}

// crowd lets the clients loose for a while.
func (l *load) crowd(clients int, lasts time.Duration, seed uint64) {
	var connected, group sync.WaitGroup
	start := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	connected.Add(clients)
	for n := range clients {
		c := &loadClient{
			load:       l,
			client:     newClient(l.server.Address),
			second:     newClient(l.server.Address),
			repository: fmt.Sprintf("load/c%d", n),
			random:     rand.New(rand.NewPCG(seed, uint64(n)+10)),
		}
		group.Go(func() {
			defer c.client.Close()
			_, _ = c.want("GET", "/v2/", nil, []int{200})
			connected.Done()
			<-start
			for ctx.Err() == nil {
				time.Sleep(time.Duration(c.random.Int64N(int64(2 * pause))))
				c.act()
			}
		})
	}
	connected.Wait()
	open := l.gauge("connections_open")
	l.report.Check(open >= clients, "%d connections are open at once", open)
	began, cpu := time.Now(), l.server.CPU()
	close(start)
	half := lasts / 2
	time.Sleep(half)
	if _, err := l.server.Check(); err != nil {
		l.report.Fail("havre check --deep under load: %v", err)
	} else {
		l.report.Ok("havre check --deep under load finds no fault")
	}
	time.Sleep(max(0, lasts-time.Since(began)))
	cancel()
	group.Wait()
	took := time.Since(began)
	l.report.Note("%.0f s, %d requests (%.0f/s), %.1f MB pulled, %.1f s of the server's processor time", took.Seconds(),
		l.stats.Requests(), float64(l.stats.Requests())/took.Seconds(), float64(l.stats.Bytes.Load())/1e6,
		(l.server.CPU() - cpu).Seconds())
}

// judge looks at the server after the load.
func (l *load) judge(bound, files int) {
	for _, line := range l.stats.Latencies() {
		l.report.Note("%s", line)
	}
	l.report.Check(l.report.Failed() == 0, "every answer was the expected one")
	for _, act := range acts {
		count := l.stats.Count(act.name)
		l.report.Check(count > 0, "%s: %d times", act.what, count)
	}
	l.report.Note("%d blobs expired between their push and their manifest's, more than %v apart", l.stats.Expired.Load(), loadGrace)
	l.report.Check(l.server.Alive(), "the server lives")
	peak, err := l.server.Peak()
	l.report.Check(err == nil && peak <= bound<<20, "its memory peaked at %d MiB, at most %d are allowed", peak>>20, bound)
	left := l.filesLeft(files)
	l.report.Check(left <= files+64, "it has %d files open, %d before the load: none leaks", left, files)
	for _, image := range l.images {
		c := &loadClient{load: l, client: newClient(l.server.Address)}
		c.pullImage(image)
		c.client.Close()
	}
	if line, err := l.server.Check(); err != nil {
		l.report.Fail("havre check --deep afterwards: %v", err)
	} else {
		l.report.Ok("havre check --deep afterwards: %s", line)
	}
	err = l.server.Stop()
	l.report.Check(err == nil, "it ends on SIGTERM (%v)", err)
}

// filesLeft waits until the clients' connections are gone and returns how many files are open.
func (l *load) filesLeft(before int) int {
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		left, err := l.server.Files()
		if err != nil || left <= before+64 || time.Since(began) > drainLimit {
			return left
		}
	}
}

// gauge reads a number from /metrics, 0 when it is not there.
func (l *load) gauge(name string) int {
	answer, err := http.Get("http://" + l.server.Address + "/metrics")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	_, _ = text.ReadFrom(answer.Body)
	for _, line := range strings.Split(text.String(), "\n") {
		key, value, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(line, "#") && strings.HasSuffix(key, name) {
			number, _ := strconv.ParseFloat(value, 64)
			return int(number)
		}
	}
	return 0
}
