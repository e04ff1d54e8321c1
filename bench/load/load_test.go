package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestVariantsHashLikeTheWhole(t *testing.T) {
	variants, err := newVariants([]byte("beginning "))
	if err != nil {
		t.Fatal(err)
	}
	blob, err := variants.Blob([]byte("end"))
	if err != nil {
		t.Fatal(err)
	}
	if whole := newBlob([]byte("beginning end")); blob.Digest != whole.Digest || blob.Size() != whole.Size() {
		t.Fatalf("%v is not %v", blob, whole)
	}
}

func TestClosingKeepsTheQuery(t *testing.T) {
	for target, expected := range map[string]string{
		"/u/1":          "/u/1?digest=sha256%3Aab",
		"/u/1?_state=x": "/u/1?_state=x&digest=sha256%3Aab",
	} {
		if got := closing(target, "sha256:ab"); got != expected {
			t.Errorf("%s: %s", target, got)
		}
	}
}

func TestPercentilesAreRanks(t *testing.T) {
	var times []time.Duration
	for number := 100; number >= 1; number-- {
		times = append(times, time.Duration(number)*time.Millisecond)
	}
	if got := latency(times); got != (Latency{P50: 50, P99: 99, Max: 100}) {
		t.Fatal(got)
	}
}

func TestBodiesArriveWhole(t *testing.T) {
	content := random(3*chunkSize + 17)
	var got []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, "thanks")
	}))
	defer server.Close()
	conn, err := NewConn(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, body := range []Body{Fixed{content[:5], content[5:]}, Chunked{content}} {
		answer, err := conn.Expect([]int{200}, "PUT", "/", body)
		if err != nil || string(got) != string(content) || answer.Length != 6 {
			t.Fatalf("%T: %v, %d bytes arrived, %d came back", body, err, len(got), answer.Length)
		}
	}
}

func TestRefusalBeforeTheBodyIsSeen(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		socket, err := listener.Accept()
		if err != nil {
			return
		}
		defer socket.Close()
		reader := bufio.NewReader(socket)
		if _, err := http.ReadRequest(reader); err != nil {
			return
		}
		io.WriteString(socket, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		io.Copy(io.Discard, reader)
	}()
	conn, err := NewConn("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := conn.Do("PUT", "/", Fixed{random(chunkSize)})
	if err != nil || answer.Status != 413 || conn.socket != nil {
		t.Fatalf("%v, %v", answer, err)
	}
}
