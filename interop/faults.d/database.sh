# shellcheck shell=bash
# The database is held by somebody else, or gone for a while. Sourced by interop/faults.

# Another process holds SQLite's write lock for longer than a request waits.
locked_database() {
  serve locked_database
  random_file layer 1
  check 'locked: an image is pushed before' push_image faults/locked kept "$FILE"
  local layer=$FILE holder began=$SECONDS
  python3 - "$SERVER_DATA/havre.db" "$WORK/locked" <<'PYTHON' &
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
connection.execute("BEGIN EXCLUSIVE")
open(sys.argv[2], "w").close()
time.sleep(8)
connection.execute("ROLLBACK")
PYTHON
  holder=$!
  on_exit stop_process "$holder"
  until_true 5 test -e "$WORK/locked" || fail 'locked: the lock was not got'
  manifest_of "$layer" >"$WORK/manifest.json"
  request PUT /v2/faults/locked/manifests/refused -H "Content-Type: $MEDIA_IMAGE" \
    --data-binary "@$WORK/manifest.json" &
  local writer=$!
  answers "locked: a manifest is pulled" 200 GET /v2/faults/locked/manifests/kept
  if ((TOOK < 500)); then ok "locked: reads do not wait (${TOOK} ms)"; else fail "locked: a read took $TOOK ms"; fi
  check 'locked: an image is pulled' verify_tree faults/locked kept
  answers 'locked: healthz does not have it restarted' 200 GET /healthz
  wait "$writer"
  answers 'locked: a write is refused' 503 PUT /v2/faults/locked/manifests/refused2 \
    -H "Content-Type: $MEDIA_IMAGE" --data-binary "@$WORK/manifest.json"
  wait "$holder" || true
  check 'locked: freed, pushes work by themselves' until_true 10 push_image faults/locked again "$layer"
  check 'locked: and can be pulled' verify_tree faults/locked again
  printf '# the lock was held for 8 s of %s s\n' $((SECONDS - began))
  check_clean locked
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
