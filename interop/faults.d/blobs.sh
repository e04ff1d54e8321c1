# shellcheck shell=bash
# shellcheck disable=SC2153 # STATUS, FILE and DIGEST come from requests.sh
# Blobs damaged behind the server's back. Sourced by interop/faults.

# damaged_image NAME: pushes an image and sets FILE, DIGEST and STORED, the file to damage.
damaged_image() {
  random_file "$1" "${2:-2}"
  check "$1: an image is pushed" push_image faults/blobs "$1" "$FILE"
  STORED=$(blob_file "$DIGEST")
}

# heals NAME: what a client does that pushes the image again.
heals() {
  answers "$1: HEAD tells a client to push again" 404 HEAD "/v2/faults/blobs/blobs/$DIGEST"
  heals_blindly "$1"
}

# heals_blindly NAME: a push that does not ask first.
heals_blindly() {
  check "$1: it is pushed again" push_image faults/blobs "$1" "$FILE"
  check "$1: the image is whole again" verify_tree faults/blobs "$1"
}

vanished_blob() {
  serve vanished_blob
  damaged_image vanished-get
  rm "$STORED"
  answers 'vanished-get: GET answers 404' 404 GET "/v2/faults/blobs/blobs/$DIGEST"
  says 'vanished-get: the message tells what to do' 'gone|damaged|missing'
  heals vanished-get
  damaged_image vanished-head
  rm "$STORED"
  answers 'vanished-head: HEAD answers 404' 404 HEAD "/v2/faults/blobs/blobs/$DIGEST"
  heals vanished-head
  damaged_image vanished-range
  rm "$STORED"
  answers 'vanished-range: GET of a range answers 404' 404 GET "/v2/faults/blobs/blobs/$DIGEST" -H 'Range: bytes=10-20'
  heals vanished-range
  damaged_image vanished-blind
  rm "$STORED"
  heals_blindly vanished-blind
  damaged_image vanished-check
  rm "$STORED"
  check_finds 'vanished-check: havre check names it' "$DIGEST"
  check_finds 'vanished-check: --repair takes it out of service' "$DIGEST" --repair
  heals vanished-check
  check_clean 'vanished blobs'
}

truncated_blob() {
  serve truncated_blob
  damaged_image truncated-get
  truncate -s 1000000 "$STORED"
  no_short_success 'truncated-get: GET'
  heals truncated-get
  damaged_image truncated-head
  truncate -s 0 "$STORED"
  answers 'truncated-head: HEAD answers 404' 404 HEAD "/v2/faults/blobs/blobs/$DIGEST"
  heals truncated-head
  damaged_image truncated-range
  truncate -s 1000000 "$STORED"
  no_short_success 'truncated-range: GET of a range that is still there' -H 'Range: bytes=0-99'
  heals truncated-range
  damaged_image truncated-blind
  truncate -s 1000000 "$STORED"
  heals_blindly truncated-blind
  damaged_image grown
  printf 'more' >>"$STORED"
  no_short_success 'grown: GET'
  heals grown
  check_clean 'truncated blobs'
}

# no_short_success WHAT [CURL…]: 404, or a transfer that breaks off: never a success with other bytes.
no_short_success() {
  request GET "/v2/faults/blobs/blobs/$DIGEST" "${@:2}"
  if [[ $STATUS == 404 || $CURL_STATUS == 18 || $CURL_STATUS == 56 ]]; then
    ok "$1: no success (status $STATUS, curl $CURL_STATUS)"
  else
    fail "$1: status $STATUS, curl $CURL_STATUS, $(stat -c %s "$WORK/body") bytes"
  fi
  check "$1: the server lives" server_ready
}

# The bytes go while they are being sent: once by sendfile, once through buffers (HTTP/2).
truncated_during_pull() {
  serve truncated_during_pull
  local protocol
  for protocol in --http1.1 --http2-prior-knowledge; do
    damaged_image "cut${protocol#-}" 64
    local puller began status=0
    curl -sS "$protocol" --limit-rate 8M -o "$WORK/pulled" --max-time 40 \
      "http://$REGISTRY/v2/faults/blobs/blobs/$DIGEST" 2>>"$LOG" &
    puller=$!
    began=$SECONDS
    sleep 1
    truncate -s 100000 "$STORED"
    wait "$puller" || status=$?
    if ((status != 0 && status != 28)); then
      ok "cut during a pull ($protocol): the transfer breaks off (curl $status, after $((SECONDS - began)) s)"
    else
      fail "cut during a pull ($protocol): curl $status, $(stat -c %s "$WORK/pulled") bytes"
    fi
    check "cut during a pull ($protocol): the server lives" server_ready
    answers "cut during a pull ($protocol): afterwards it is 404" 404 GET "/v2/faults/blobs/blobs/$DIGEST"
    heals "cut${protocol#-}"
  done
  check_clean 'cut during a pull'
}

# flip_last_byte FILE: writes its complement, which surely differs.
flip_last_byte() {
  python3 - "$1" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(-1, 2)
    last = file.read(1)[0]
    file.seek(-1, 2)
    file.write(bytes([last ^ 0xFF]))
PYTHON
}

corrupted_blob() {
  serve corrupted_blob
  damaged_image corrupted
  flip_last_byte "$STORED"
  check_finds 'corrupted: havre check --deep names it' "$DIGEST"
  check_finds 'corrupted: --repair names it and takes it out of service' "$DIGEST" --repair
  answers 'corrupted: it is not served any more' 404 GET "/v2/faults/blobs/blobs/$DIGEST"
  says 'corrupted: the message tells what to do' 'push .*again'
  check_finds 'corrupted: until then havre check reminds' "$DIGEST"
  heals corrupted
  check_clean corrupted
}

# `havre check` is safe beside a server that is asked for its health all the time, as by a load balancer.
check_beside_probes() {
  local prober failed=0 n
  serve check_beside_probes
  (while :; do curl -s -o /dev/null "http://$REGISTRY/readyz?[1-500]"; done) &
  prober=$!
  on_exit stop_process "$prober"
  for n in {1..30}; do
    attempt clean_env "$HAVRE" check --data-dir "$SERVER_DATA"
    if ((ATTEMPT_STATUS != 0)); then failed=$((failed + 1)); fi
  done
  stop_process "$prober"
  same "check beside probes: $n runs of havre check, none fails" 0 "$failed"
}
