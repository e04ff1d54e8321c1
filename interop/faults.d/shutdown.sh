# shellcheck shell=bash
# SIGTERM while a transfer is under way. Sourced by interop/faults.

# slow_pull RATE: pulls FILE in the background at a rate that takes some seconds; sets PULLER.
slow_pull() {
  curl -sS --limit-rate "$1" -o "$WORK/pulled" --max-time 60 \
    "http://$REGISTRY/v2/faults/stop/blobs/$DIGEST" 2>>"$LOG" &
  PULLER=$!
  # Enough for the connection's buffers to be full and the pull to be far from its end.
  sleep 1
}

# A pull that is under way ends whole; nobody new is let in; then the process ends with status 0.
stop_during_pull() {
  serve stop_during_pull
  random_file large 64
  check 'stop: a large blob is pushed' push_blob faults/stop "$FILE"
  slow_pull 16M
  local status=0 began=$SECONDS server=$SERVER_PID
  kill -TERM "$server"
  sleep 0.3
  refuses 'stop: new connections are refused' curl -sS --max-time 2 "http://$REGISTRY/v2/"
  wait "$PULLER" || status=$?
  same 'stop: the pull under way ends' 'curl 0' "curl $status"
  same_file 'stop: with every byte' "$FILE" "$WORK/pulled"
  status=0
  wait "$server" || status=$?
  same "stop: then the server ends by itself, $((SECONDS - began)) s after SIGTERM" 'exit 0' "exit $status"
  check_clean 'stop'
}

# A pull that takes longer than the limit is cut, and seen by the client as cut.
stop_after_limit() {
  serve stop_after_limit --set server.shutdown_timeout=1s
  random_file large 64
  check 'stop at the limit: a large blob is pushed' push_blob faults/stop "$FILE"
  slow_pull 4M
  local status=0 began=$SECONDS server=$SERVER_PID
  kill -TERM "$server"
  wait "$server" || status=$?
  if ((SECONDS - began <= 4)); then
    ok "stop at the limit: it ends $((SECONDS - began)) s after SIGTERM (exit $status)"
  else
    fail "stop at the limit: it took $((SECONDS - began)) s with a limit of 1 s"
  fi
  status=0
  wait "$PULLER" || status=$?
  if ((status != 0)); then ok "stop at the limit: the client sees it (curl $status)"; else fail 'stop at the limit: curl 0'; fi
  check_clean 'stop at the limit'
}
