# shellcheck shell=bash
# shellcheck disable=SC2153 # STATUS, TOOK, FILE and DIGEST come from requests.sh
# The database is held by somebody else, or gone for a while. Sourced by interop/faults.

# hold_lock SECONDS: another process takes SQLite's write lock; sets HOLDER.
hold_lock() {
  rm -f "$WORK/locked"
  python3 - "$SERVER_DATA/havre.db" "$WORK/locked" "$1" <<'PYTHON' &
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
connection.execute("BEGIN EXCLUSIVE")
open(sys.argv[2], "w").close()
time.sleep(float(sys.argv[3]))
connection.execute("ROLLBACK")
PYTHON
  HOLDER=$!
  on_exit stop_process "$HOLDER"
  until_true 5 test -e "$WORK/locked" || fail 'locked: the lock was not got'
}

# in_background NAME COMMAND [ARG…]: a request whose STATUS and TOOK end up in WORK/NAME; sets PID.
in_background() {
  (
    "${@:2}"
    printf '%s %s\n' "$STATUS" "$TOOK" >"$WORK/$1"
  ) &
  PID=$!
}

# put_tag TAG: pushes WORK/manifest.json.
put_tag() {
  request PUT "/v2/faults/locked/manifests/$1" -H "Content-Type: $MEDIA_IMAGE" --data-binary "@$WORK/manifest.json"
}

# Another process holds SQLite's write lock for longer than a request waits.
locked_database() {
  serve locked_database
  random_file layer 2
  check 'locked: an image is pushed before' push_image faults/locked kept "$FILE"
  local layer=$FILE writer patch status took
  random_file slow 4
  begin_upload faults/locked
  # Its session is open when the lock comes, and its last byte arrives while the lock is held.
  in_background slow.status request PATCH "$LOCATION" --limit-rate 2M -T "$FILE"
  patch=$PID
  sleep 0.5
  # Long enough for two waits of 5 s: the tag's, then the one for what the chunk records at its end.
  hold_lock 12
  manifest_of "$layer" >"$WORK/manifest.json"
  in_background refused.status put_tag refused
  writer=$PID
  answers 'locked: a manifest is pulled' 200 GET /v2/faults/locked/manifests/kept
  if ((TOOK < 500)); then ok "locked: reads do not wait ($TOOK ms)"; else fail "locked: a read took $TOOK ms"; fi
  check 'locked: an image is pulled' verify_tree faults/locked kept
  answers 'locked: healthz does not have it restarted' 200 GET /healthz
  wait "$writer" "$patch"
  read -r status took <"$WORK/refused.status"
  same "locked: a write is refused, after $took ms" 503 "$status"
  wait "$HOLDER" || true
  check 'locked: freed, pushes work by themselves' until_true 10 push_image faults/locked again "$layer"
  check 'locked: and can be pulled' verify_tree faults/locked again
  answers 'locked: what was refused did not happen' 404 GET /v2/faults/locked/manifests/refused
  locked_upload_goes_on "$(cut -d ' ' -f 1 "$WORK/slow.status")"
  check_clean locked
}

# locked_upload_goes_on STATUS: the upload whose chunk met the lock, and how that was answered.
locked_upload_goes_on() {
  local stands
  stands=$(curl -sS -D - -o /dev/null "http://$REGISTRY$LOCATION" | awk 'tolower($1) == "range:" { print $2 }' | tr -d '\r')
  stands=$((${stands#0-} + 1))
  if ((stands == 1)); then stands=0; fi
  answers "locked: an upload whose chunk met the lock ($1) goes on from $stands" 202 PATCH "$LOCATION" \
    -H "Content-Range: $stands-4194304" -H 'Content-Type: application/octet-stream' \
    --data-binary "@"<(tail -c "+$((stands + 1))" "$FILE" && printf x)
}

# postgres_control DIR COMMAND [ARG…]: pg_ctl on the cluster that interop/postgres made.
postgres_control() {
  local programs
  programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)
  (cd / && exec setpriv --reuid postgres --regid postgres --clear-groups --reset-env "$programs/pg_ctl" \
    --pgdata "$1/data" --log "$1/server.log" --wait --timeout 30 "${@:2}") >>"$LOG" 2>&1
}

stopped_postgres() {
  local cluster=$WORK/postgres url
  url=$("$INTEROP/postgres" start "$cluster")
  on_exit "$INTEROP/postgres" stop "$cluster"
  url=$("$INTEROP/postgres" create "$url" faults)
  export HAVRE_DATABASE_URL=$url
  serve stopped_postgres HAVRE_DATABASE_URL="$url"
  unset HAVRE_DATABASE_URL
  random_file layer 1
  check 'PostgreSQL: an image is pushed before' push_image faults/postgres kept "$FILE"
  local round
  for round in fast immediate; do
    check "PostgreSQL stops ($round)" postgres_control "$cluster" stop --mode "$round"
    answers "PostgreSQL stopped ($round): readyz says so" 503 GET /readyz
    answers "PostgreSQL stopped ($round): healthz does not have it restarted" 200 GET /healthz
    answers "PostgreSQL stopped ($round): a pull is refused" 503 GET /v2/faults/postgres/manifests/kept
    says "PostgreSQL stopped ($round): the message is clear" 'storage|database'
    post_blob faults/postgres "$FILE"
    if [[ $STATUS == 503 ]]; then
      ok "PostgreSQL stopped ($round): a push is refused after $TOOK ms"
    else
      fail "PostgreSQL stopped ($round): a push: status $STATUS after $TOOK ms"
    fi
    check "PostgreSQL starts again" postgres_control "$cluster" start
    check "PostgreSQL started ($round): it is ready by itself" until_true 10 server_ready
    check "PostgreSQL started ($round): pulls work" verify_tree faults/postgres kept
    random_file "after-$round" 1
    check "PostgreSQL started ($round): pushes work" push_image faults/postgres "after-$round" "$FILE"
    check "PostgreSQL started ($round): and can be pulled" verify_tree faults/postgres "after-$round"
  done
  check 'PostgreSQL: havre check --deep is clean' clean_env HAVRE_DATABASE_URL="$url" "$HAVRE" check --deep \
    --data-dir "$SERVER_DATA"
}
