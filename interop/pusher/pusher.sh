# shellcheck shell=bash
# Builds the pusher and runs it as one of the suites. Sourced after lib.sh.

# build_pusher: sets PUSHER. The standard library is all it needs, so nothing is fetched.
build_pusher() {
  PUSHER=$INTEROP/.cache/bin/pusher
  mkdir -p "${PUSHER%/*}"
  check "the pusher builds" env -C "$INTEROP/pusher" GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOWORK=off \
    go build -o "$PUSHER" .
  ((FAILED == 0)) || exit 1
}

# drive_pusher [VARIABLE=VALUE…] SUITE [ARG…]: runs it with a server of its own on fresh data; its checks become ours.
drive_pusher() {
  local variables=() suite lines=$WORK/pusher.txt status=0
  while [[ ${1:-} == [A-Z]*=* ]]; do
    variables+=("$1")
    shift
  done
  suite=$1
  shift
  if [[ ! -x $HAVRE ]]; then
    fail "no server binary at $HAVRE: cargo build --release, or set INTEROP_HAVRE"
    return 0
  fi
  # The server is killed and started many times: it must stay the same program.
  cp "$HAVRE" "$WORK/havre"
  (clean_env ${variables[@]+"${variables[@]}"} "$PUSHER" "$suite" --havre "$WORK/havre" --data "$WORK/data" \
    --listen "127.0.0.1:$(free_port)" "$@") 2>"$OUT/$INTEROP_NAME.server.log" | tee "$lines" || status=$?
  cat "$lines" >>"$LOG"
  PASSED=$((PASSED + $(grep -c '^ok ' "$lines" || true)))
  FAILED=$((FAILED + $(grep -c '^FAIL ' "$lines" || true)))
  if ((status != 0)) && ! grep -q '^FAIL ' "$lines"; then
    fail "it ended without a result (exit $status)"
    tail -n 5 "$OUT/$INTEROP_NAME.server.log" | sed 's/^/#   /'
  fi
  if grep -q 'panicked at' "$OUT/$INTEROP_NAME.server.log"; then
    fail "the server panicked ($INTEROP_NAME.server.log)"
  fi
}
