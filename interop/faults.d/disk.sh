# shellcheck shell=bash
# shellcheck disable=SC2153 # STATUS, FILE and DIGEST come from requests.sh
# No room, no right to write. Sourced by interop/faults.

# Pushes until the disk is full, finds the refusal clear and the rest of the service at work, makes room, goes on.
full_disk() {
  local disk=$WORK/full_disk pushes=0 kept
  small_disk "$disk" 64m
  # Room that is given back later: what refused pushes left behind must not be what decides then.
  head -c 16M /dev/zero >"$disk/reserve"
  SERVER_DATA=$disk/data
  serve full_disk
  random_file kept 2
  kept=$FILE
  check 'full disk: an image is pushed while there is room' push_image faults/disk kept "$kept"
  begin_upload faults/disk
  local session=$LOCATION
  random_file resumed 3
  local resumed=$FILE resumed_digest=$DIGEST
  answers 'full disk: a chunk arrives while there is room' 202 PATCH "$session" -H 'Content-Range: 0-1048575' \
    -H 'Content-Type: application/octet-stream' --data-binary "@"<(head -c 1048576 "$resumed")
  while ((pushes < 20)); do
    random_file filler 4
    post_blob faults/disk "$FILE"
    [[ $STATUS == 201 ]] || break
    printf '%s\n' "$DIGEST" >>"$WORK/acknowledged"
    pushes=$((pushes + 1))
  done
  check_refusal "full disk: push $((pushes + 1)) of 4 MiB on 48 MiB is refused"
  same 'full disk: the refused push leaves no bytes behind: nobody could resume it' "${session##*/}" \
    "$(ls "$SERVER_DATA/store/uploads")"
  fill "$disk"
  full_disk_answers "$session" "$resumed"
  check 'full disk: havre check works there' clean_env "$HAVRE" check --data-dir "$SERVER_DATA"
  rm "$disk/reserve"
  drain "$disk"
  full_disk_resumes "$session" "$resumed" "$resumed_digest"
  check 'full disk: what was acknowledged is whole' verify_tree faults/disk kept
  local digest lost=0
  while read -r digest; do
    verify_blob faults/disk "$digest" 4194304 || lost=$((lost + 1))
  done <"$WORK/acknowledged"
  same "full disk: all $pushes blobs acknowledged before are whole" 0 "$lost"
  check_clean 'full disk'
}

# check_refusal WHAT: the last answer refuses for want of room.
check_refusal() {
  if [[ $STATUS == 503 || $STATUS == 507 ]]; then ok "$1 with $STATUS"; else fail "$1: status $STATUS"; fi
  says "$1: the message speaks of room or storage" 'storage|full|space|room'
}

# What a server with a full disk does: everything but take bytes.
full_disk_answers() {
  answers 'full disk: readyz says so' 503 GET /readyz
  answers 'full disk: healthz does not have it restarted' 200 GET /healthz
  check 'full disk: pulls go on' verify_tree faults/disk kept
  random_file other 1
  refuses 'full disk: a push as docker does is refused' push_blob faults/disk "$FILE"
  # `refuses` looks from a subshell: the answer itself is asked for again.
  post_blob faults/disk "$FILE"
  check_refusal 'full disk: a further push is refused'
  answers 'full disk: a chunk that finds no room is refused' '503|507' PATCH "$1" \
    -H 'Content-Range: 1048576-3145727' -H 'Content-Type: application/octet-stream' \
    --data-binary "@"<(tail -c +1048577 "$2")
  says 'full disk: that refusal is clear' 'storage|full|space|room'
}

# full_disk_resumes LOCATION FILE DIGEST: with room again, without a restart.
full_disk_resumes() {
  local stands
  check 'full disk: with room again it is ready by itself' until_true 10 server_ready
  random_file again 2
  check 'full disk: with room again pushes work' push_image faults/disk again "$FILE"
  check 'full disk: and what they pushed can be pulled' verify_tree faults/disk again
  stands=$(curl -sS -D - -o /dev/null "http://$REGISTRY$1" | awk 'tolower($1) == "range:" { print $2 }' | tr -d '\r')
  stands=$((${stands#0-} + 1))
  if ((stands >= 1048576)); then
    ok "full disk: the broken upload stands at $stands, not behind what was acknowledged"
  else
    fail "full disk: the broken upload stands at $stands, 1048576 were acknowledged"
  fi
  answers 'full disk: the broken upload goes on from there' 202 PATCH "$1" -H "Content-Range: $stands-3145727" \
    -H 'Content-Type: application/octet-stream' --data-binary "@"<(tail -c "+$((stands + 1))" "$2")
  answers 'full disk: and is ended' 201 PUT "$1?digest=$3"
  check 'full disk: with the right bytes' verify_blob faults/disk "$3" 3145728
}

# Only the database's file system is full: tags and manifests are refused, nothing else.
full_database() {
  local disk=$WORK/full_database pushes=0
  small_disk "$disk" 6m
  SERVER_DATA=$disk/data
  mkdir -p "$SERVER_DATA/store" "$WORK/roomy"
  mount --bind "$WORK/roomy" "$SERVER_DATA/store"
  serve full_database
  random_file layer 1
  check 'full database: an image is pushed while there is room' push_image faults/database kept "$FILE"
  local layer=$FILE
  # An annotation makes each manifest large, so that the database fills up soon.
  head -c 300000 /dev/zero | tr '\0' a >"$WORK/padding"
  while ((pushes < 40)); do
    large_manifest "$layer" "$pushes"
    request PUT "/v2/faults/database/manifests/v$pushes" -H "Content-Type: $MEDIA_IMAGE" --data-binary "@$WORK/large.json"
    [[ $STATUS == 201 ]] || break
    pushes=$((pushes + 1))
    if ((pushes == 4)); then fill "$disk"; fi
  done
  check_refusal "full database: manifest $((pushes + 1)) is refused"
  check 'full database: pulls go on' verify_tree faults/database kept
  answers 'full database: lists go on' 200 GET /v2/faults/database/tags/list
  answers 'full database: a refused tag is not there' 404 GET "/v2/faults/database/manifests/v$pushes"
  drain "$disk"
  random_file layer2 1
  check 'full database: with room again pushes work' until_true 10 push_image faults/database again "$FILE"
  answers 'full database: and what was refused is taken' 201 PUT "/v2/faults/database/manifests/v$pushes" \
    -H "Content-Type: $MEDIA_IMAGE" --data-binary "@$WORK/large.json"
  local n lost=0
  for ((n = 0; n <= pushes; n++)); do
    verify_tree faults/database "v$n" || lost=$((lost + 1))
  done
  same "full database: all $((pushes + 1)) manifests acknowledged are whole" 0 "$lost"
  check_clean 'full database'
}

# large_manifest LAYER N: leaves it in WORK/large.json.
large_manifest() {
  manifest_of "$1" | jq -c --rawfile padding "$WORK/padding" --arg n "$2" \
    '. + {annotations: {padding: $padding, n: $n}}' >"$WORK/large.json"
}

# The store is made read-only under the server, in the two ways that it happens.
read_only_store() {
  serve read_only_store
  local store=$SERVER_DATA/store
  random_file layer 2
  check 'read-only: an image is pushed before' push_image faults/readonly kept "$FILE"
  mount --bind "$store" "$store"
  mount -o remount,bind,ro "$store"
  read_only_answers 'read-only mount'
  umount "$store"
  read_only_ends 'read-only mount'
  if chattr +i "$store/uploads" 2>>"$LOG"; then
    read_only_answers 'immutable directory'
    chattr -i "$store/uploads"
    read_only_ends 'immutable directory'
  else
    fail "immutable directory: chattr +i does not work on $store"
  fi
}

read_only_answers() {
  answers "$1: readyz says so" 503 GET /readyz
  answers "$1: healthz does not have it restarted" 200 GET /healthz
  random_file refused 1
  post_blob faults/readonly "$FILE"
  check_refusal "$1: a push is refused"
  check "$1: pulls go on" verify_tree faults/readonly kept
}

read_only_ends() {
  check "$1: writable again, it is ready by itself" until_true 10 server_ready
  random_file again 1
  check "$1: writable again, pushes work" push_image faults/readonly "again" "$FILE"
  check "$1: and what they pushed can be pulled" verify_tree faults/readonly again
  check_clean "$1"
}

# A server that cannot write to its directory says so at once and which directory it is.
read_only_start() {
  local data=$WORK/read_only_start
  small_disk "$data" 4m
  mount -o remount,ro "$data"
  attempt timeout 10 env "$HAVRE" serve --data-dir "$data/data" --listen "127.0.0.1:$(free_port)"
  if ((ATTEMPT_STATUS != 0 && ATTEMPT_STATUS != 124)) && grep -q "$data" "$WORK/attempt"; then
    ok "read-only at the start: it ends and says: $(tail -n 1 "$WORK/attempt" | sed "s|$WORK|…|" | cut -c -160)"
  else
    fail "read-only at the start: exit $ATTEMPT_STATUS: $(tail -n 2 "$WORK/attempt")"
  fi
  umount "$data"
}
