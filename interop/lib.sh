# shellcheck shell=bash
# Shared by every script below interop/: checks, cleanup, time limits, ports and the server under test.
#
# Names that start with HAVRE_ are the product's own configuration, where an unknown key is an error; what
# steers these scripts is therefore called INTEROP_*.

INTEROP=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$INTEROP")
OUT=${INTEROP_OUT:-$INTEROP/out}
HAVRE=${INTEROP_HAVRE:-${CARGO_TARGET_DIR:-$ROOT/target}/release/havre}
export PATH="$INTEROP/.cache/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
mkdir -p "$OUT"

# A server that is not ready by then is a failed test (seconds).
READY_LIMIT=10
# How long a daemon may take to end after SIGTERM before SIGKILL follows (seconds).
STOP_LIMIT=10

# ---------------------------------------------------------------------------------------- time and cleanup

# bounded SECONDS SCRIPT [ARG…]: runs the calling script anew under a total time limit, once.
bounded() {
  local limit=$1
  shift
  [[ -z ${INTEROP_BOUNDED:-} ]] || return 0
  INTEROP_BOUNDED=1 exec timeout --signal=TERM --kill-after=30 "$limit" "$@"
}

CLEANUPS=()

# on_exit COMMAND [ARG…]: the last one registered runs first.
on_exit() {
  CLEANUPS+=("$(printf '%q ' "$@")")
}

run_cleanups() {
  local i
  set +e
  # A signal that arrives now would end us before what was started is stopped.
  trap '' TERM INT HUP
  for ((i = ${#CLEANUPS[@]} - 1; i >= 0; i--)); do
    eval "${CLEANUPS[i]}" >>"${LOG:-/dev/null}" 2>&1
  done
  CLEANUPS=()
}

# make_work: WORK becomes a fresh directory that disappears at exit, together with mounts left below it.
make_work() {
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/havre-interop.XXXXXX")
  on_exit remove_work "$WORK"
}

remove_work() {
  local mount
  # Engines that were killed leave overlay mounts; rm must never walk into one.
  awk -v dir="$1/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
    umount -l "$mount"
  done
  rm -rf --one-file-system "$1"
}

# stop_process PID: SIGTERM, then SIGKILL after STOP_LIMIT. Only ever a child of this script: the number may by
# then belong to somebody else.
stop_process() {
  local pid=$1 waited=0
  [[ $(ps -o ppid= -p "$pid" | tr -d ' ') == "$$" ]] || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null && [[ $(ps -o stat= -p "$pid") != Z* ]]; do
    if ((waited >= STOP_LIMIT * 10)); then
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
  wait "$pid" 2>/dev/null || true
}

# until_true SECONDS COMMAND [ARG…]: polls; false when the time is over.
until_true() {
  local rounds=$(($1 * 10))
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((rounds-- > 0)) || return 1
    sleep 0.1
  done
}

# free_port: prints a TCP port that nothing listens on, below the range the kernel hands out by itself.
free_port() {
  local port
  while true; do
    port=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  printf '%s\n' "$port"
}

# ---------------------------------------------------------------------------------------------------- checks

CLIENT=interop
PASSED=0
FAILED=0
FINISHED=
STOPPED_AT=

# client_begin NAME: names the checks that follow, opens the log, prepares WORK and the last word at exit.
client_begin() {
  CLIENT=$1
  LOG=$OUT/${INTEROP_NAME:-$CLIENT}.log
  : >"$LOG"
  trap client_end EXIT
  trap 'exit 143' TERM INT HUP
  set -E
  trap 'STOPPED_AT="line $LINENO: $BASH_COMMAND"' ERR
  make_work
}

client_end() {
  local status=$?
  if [[ -z $FINISHED ]]; then
    fail "stopped early (exit $status) at ${STOPPED_AT:-an unknown line}"
    tail -n 12 "$LOG" | sed 's/^/#   /'
  fi
  run_cleanups
  # interop/run counts the lines above and compares: a result that lost some of them is none.
  printf '== %s ended: %s passed, %s failed\n' "$CLIENT" "$PASSED" "$FAILED"
  if ((FAILED > 0)); then exit 1; fi
  exit 0
}

# finish: the last command of a client script.
finish() {
  FINISHED=1
}

ok() {
  PASSED=$((PASSED + 1))
  printf 'ok %s: %s\n' "$CLIENT" "$1"
}

fail() {
  FAILED=$((FAILED + 1))
  printf 'FAIL %s: %s\n' "$CLIENT" "$1"
}

# version TEXT: what is being driven; interop/run puts it into the table.
version() {
  printf -- '-- %s %s\n' "$CLIENT" "$1"
}

# note TEXT: what the table says beside the number of checks.
note() {
  printf '== %s: %s\n' "$CLIENT" "$1"
}

# tool_version NAME: the version of a tool that interop/install built.
tool_version() {
  sed 's/.*@//' "$INTEROP/.cache/bin/.$1.version" 2>/dev/null || printf 'unknown\n'
}

# quiet COMMAND [ARG…]: its output goes to the log.
quiet() {
  printf '+ %s\n' "$*" >>"$LOG"
  "$@" >>"$LOG" 2>&1
}

# attempt COMMAND [ARG…]: status in ATTEMPT_STATUS, output in WORK/attempt and the log. A function keeps its
# `set -e`: it runs in a subshell that is no condition.
attempt() {
  printf '+ %s\n' "$*" >>"$LOG"
  set +e
  (
    set -e
    "$@"
  ) >"$WORK/attempt" 2>&1
  ATTEMPT_STATUS=$?
  set -e
  cat "$WORK/attempt" >>"$LOG"
}

# check WHAT COMMAND [ARG…]: one line; the end of the command's output when it fails.
check() {
  local what=$1
  shift
  attempt "$@"
  if ((ATTEMPT_STATUS == 0)); then
    ok "$what"
  else
    fail "$what"
    printf '#   %s\n' "$*"
    tail -n 6 "$WORK/attempt" | cut -c -400 | sed 's/^/#   /'
  fi
}

# refuses WHAT COMMAND [ARG…]: passes when the command fails.
refuses() {
  local what=$1
  shift
  attempt "$@"
  if ((ATTEMPT_STATUS != 0)); then ok "$what"; else fail "$what: it succeeded"; fi
}

# same WHAT EXPECTED ACTUAL: two texts.
same() {
  if [[ $2 == "$3" && -n $2 ]]; then
    ok "$1"
  else
    fail "$1"
    printf '#   expected %s\n#   found    %s\n' "${2:-nothing}" "${3:-nothing}"
  fi
}

# same_file WHAT EXPECTED ACTUAL: two files, byte by byte.
same_file() {
  check "$1" cmp "$2" "$3"
}

# needs COMMAND…: a client that is not there is a failure, never a silent skip.
needs() {
  local name missing=
  for name in "$@"; do
    command -v "$name" >/dev/null || missing="$missing $name"
  done
  [[ -n $missing ]] || return 0
  fail "not installed:$missing (interop/install)"
  finish
  exit 1
}

hex_of() {
  sha256sum "$1" | cut -d ' ' -f 1
}

# needs_registry: REGISTRY is host:port of a running registry that lets anyone read and write, or whoever
# INTEROP_CREDENTIALS (name:password) names.
needs_registry() {
  : "${REGISTRY:?set REGISTRY=host:port, or use interop/run}"
  check "the registry answers" \
    curl -fsS -o /dev/null ${INTEROP_CREDENTIALS:+-u "$INTEROP_CREDENTIALS"} "http://$REGISTRY/v2/"
}

# -------------------------------------------------------------------------------------- the server under test

# clean_env [VARIABLE=VALUE…] COMMAND [ARG…]: replaces this (sub)shell by the command, without the HAVRE_ variables
# of whoever called us.
clean_env() {
  local name unset=()
  for name in "${!HAVRE_@}"; do
    unset+=(-u "$name")
  done
  exec env "${unset[@]}" "$@"
}

# start_havre NAME [VARIABLE=VALUE…] [ARG…]: starts the server on a free port and waits until it is ready.
# Its data lies in SERVER_DATA (set it beforehand to start on existing data; SERVER_PORT likewise), its log in
# OUT/NAME.server.log. It is open to anyone unless SERVER_OPEN is empty. Sets SERVER_PID, SERVER_PORT and
# SERVER_ADDRESS; it is stopped at exit.
start_havre() {
  local name=$1 log open=${SERVER_OPEN---open} variables=()
  shift
  log=$OUT/$name.server.log
  while [[ ${1:-} == [A-Z]*=* ]]; do
    variables+=("$1")
    shift
  done
  if [[ ! -x $HAVRE ]]; then
    printf 'no server binary at %s: cargo build --release, or set INTEROP_HAVRE\n' "$HAVRE" >&2
    return 1
  fi
  SERVER_DATA=${SERVER_DATA:-$WORK/$name.data}
  SERVER_PORT=${SERVER_PORT:-$(free_port)}
  SERVER_ADDRESS=127.0.0.1:$SERVER_PORT
  mkdir -p "$SERVER_DATA"
  clean_env "${variables[@]}" "$HAVRE" serve ${open:+"$open"} --data-dir "$SERVER_DATA" --listen "$SERVER_ADDRESS" \
    "$@" >>"$log" 2>&1 9>&- &
  SERVER_PID=$!
  on_exit stop_process "$SERVER_PID"
  if ! until_true "$READY_LIMIT" server_ready; then
    printf 'havre was not ready after %s s; the end of %s:\n' "$READY_LIMIT" "$log" >&2
    tail -n 20 "$log" >&2
    return 1
  fi
}

# server_ready: also false when the port answers but our process is gone, so that another one is not tested.
server_ready() {
  kill -0 "$SERVER_PID" && curl -fsS -o /dev/null --max-time 2 "http://$SERVER_ADDRESS/readyz"
}

# stop_havre: ends the server last started and forgets it, so that the next start gets its own data.
stop_havre() {
  stop_process "$SERVER_PID"
  unset SERVER_PID SERVER_PORT SERVER_ADDRESS SERVER_DATA
}
