package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// runMix pulls and pushes images of one layer in a given proportion. The sizes of the layers and the shares are the
// caller's; a pushed image is always one the registry has not seen.
func runMix(flags *flag.FlagSet, arguments []string) (any, error) {
	server := flags.String("server", "", "base URL of the registry")
	sizes := flags.String("sizes", "1:100", "MiB:weight pairs, comma-separated")
	pulls := flags.Int("pulls", 75, "per cent of the requests that are pulls")
	count := flags.Int("requests", 1000, "how many images are pushed or pulled")
	connections := flags.Int("connections", 10, "connections")
	modeName := flags.String("mode", string(Monolithic), "monolithic, streamed or docker")
	flags.Parse(arguments)
	mode, err := parseMode(*modeName)
	if err != nil {
		return nil, err
	}
	mix, err := newMix(*sizes)
	if err != nil {
		return nil, err
	}
	if err := mix.seed(*server); err != nil {
		return nil, err
	}
	work, err := mix.plan(*count, *pulls)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	times, err := eachOn(*server, *connections, *count, func(conn *Conn, index int) error {
		if work[index].pull {
			return work[index].image.Pull(conn)
		}
		return work[index].image.Push(conn, mode)
	})
	if err != nil {
		return nil, err
	}
	return countResult{Count: *count, Seconds: time.Since(start).Seconds(), Latency: latency(times)}, nil
}

// mix is the sizes, how often each comes, and an image of each to be pulled.
type mix struct {
	mark     string
	weights  []int
	total    int
	variants []*Variants
	pulled   []Image
}

type step struct {
	pull  bool
	image Image
}

func newMix(text string) (*mix, error) {
	m := &mix{mark: hex.EncodeToString(random(4))}
	for pair := range strings.SplitSeq(text, ",") {
		size, weight, err := parsePair(pair)
		if err != nil {
			return nil, err
		}
		variants, err := newVariants(random(size << 20))
		if err != nil {
			return nil, err
		}
		m.variants = append(m.variants, variants)
		m.weights = append(m.weights, weight)
		m.total += weight
	}
	return m, nil
}

func parsePair(pair string) (size, weight int, err error) {
	left, right, found := strings.Cut(pair, ":")
	size, sizeErr := strconv.Atoi(left)
	weight, weightErr := strconv.Atoi(right)
	if !found || sizeErr != nil || weightErr != nil || size < 1 || weight < 1 {
		return 0, 0, fmt.Errorf("%q is not MIB:WEIGHT", pair)
	}
	return size, weight, nil
}

// seed pushes the images that will be pulled.
func (m *mix) seed(server string) error {
	conn, err := NewConn(server)
	if err != nil {
		return err
	}
	defer conn.Close()
	for index := range m.variants {
		image, err := m.fresh(index, fmt.Sprintf("pulled-%s-%d", m.mark, index))
		if err != nil {
			return err
		}
		if err := image.Push(conn, Monolithic); err != nil {
			return err
		}
		m.pulled = append(m.pulled, image)
	}
	return nil
}

// fresh is an image of that size which no registry has seen.
func (m *mix) fresh(size int, tag string) (Image, error) {
	layer, err := m.variants[size].Blob(random(suffixLength))
	return newImage("bench/mix", tag, tag, []Blob{layer}), err
}

// plan draws the steps from a fixed seed, so that every registry gets the same sequence.
func (m *mix) plan(count, pulls int) ([]step, error) {
	dice := rand.New(rand.NewPCG(1, 2))
	work := make([]step, count)
	for index := range work {
		size := m.draw(dice)
		if dice.IntN(100) < pulls {
			work[index] = step{pull: true, image: m.pulled[size]}
			continue
		}
		image, err := m.fresh(size, fmt.Sprintf("pushed-%s-%d", m.mark, index))
		if err != nil {
			return nil, err
		}
		work[index] = step{image: image}
	}
	return work, nil
}

func (m *mix) draw(dice *rand.Rand) int {
	left := dice.IntN(m.total)
	for index, weight := range m.weights {
		if left < weight {
			return index
		}
		left -= weight
	}
	return 0
}
