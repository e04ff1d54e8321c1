# shellcheck shell=bash
# Requests and checks that the scenarios share. Sourced by interop/faults.

# serve NAME [VARIABLE=VALUE…] [ARG…]: a server; see start_havre.
serve() {
  rm -f "$OUT/faults-$1.server.log"
  start_havre "faults-$1" "${@:2}"
  REGISTRY=$SERVER_ADDRESS
}

no_panic() {
  if grep -q 'panicked at' "$OUT/faults-$1.server.log" 2>/dev/null; then fail "$1: the server panicked"; fi
}

# request METHOD PATH [CURL…]: sets STATUS (000 without an answer), TOOK (milliseconds) and leaves the body in WORK/body.
request() {
  local options=(-sS -o "$WORK/body" -w '%{http_code} %{time_total}' --max-time 30) result
  if [[ $1 == HEAD ]]; then options+=(--head); else options+=(-X "$1"); fi
  : >"$WORK/body"
  result=$(curl "${options[@]}" "http://$REGISTRY$2" "${@:3}" 2>>"$LOG") && CURL_STATUS=0 || CURL_STATUS=$?
  STATUS=${result% *}
  TOOK=$(awk -v seconds="${result#* }" 'BEGIN { printf "%d", seconds * 1000 }')
  printf '+ %s %s: %s in %s ms, curl %s: %s\n' "$1" "$2" "$STATUS" "$TOOK" "$CURL_STATUS" \
    "$(head -c 400 "$WORK/body" | tr -d '\0')" >>"$LOG"
}

# answers WHAT STATUSES METHOD PATH [CURL…]: STATUSES is a pattern such as 201 or 503|507.
answers() {
  request "${@:3}"
  if [[ $CURL_STATUS == 0 && $STATUS =~ ^($2)$ ]]; then
    ok "$1"
  else
    fail "$1: status $STATUS instead of $2 (curl $CURL_STATUS): $(head -c 300 "$WORK/body" | tr -d '\0')"
  fi
}

# says WHAT PATTERN: the message of the last refusal.
says() {
  local message
  message=$(jq -r '.errors[0].message // ""' "$WORK/body" 2>/dev/null || true)
  if grep -qiE -- "$2" <<<"$message"; then ok "$1"; else fail "$1: it says \"$message\""; fi
}

# random_file NAME MEBIBYTES: makes WORK/NAME, sets FILE and DIGEST.
random_file() {
  FILE=$WORK/$1
  head -c "$(($2 * 1048576))" /dev/urandom >"$FILE"
  # shellcheck disable=SC2034 # for the scenarios
  DIGEST=sha256:$(hex_of "$FILE")
}

# post_blob REPOSITORY FILE: a whole blob in one request; sets STATUS.
post_blob() {
  request POST "/v2/$1/blobs/uploads/?digest=sha256:$(hex_of "$2")" -H 'Content-Type: application/octet-stream' \
    --data-binary "@$2"
}

# begin_upload REPOSITORY: sets LOCATION.
begin_upload() {
  LOCATION=$(curl -sS -X POST -D - -o /dev/null "http://$REGISTRY/v2/$1/blobs/uploads/" |
    awk 'tolower($1) == "location:" { print $2 }' | tr -d '\r')
}

# push_blob REPOSITORY FILE: as docker does, with a streamed PATCH; true when it was acknowledged.
push_blob() {
  begin_upload "$1"
  [[ -n $LOCATION ]] || return 1
  request PATCH "$LOCATION" -T "$2" -H 'Transfer-Encoding: chunked' -H 'Content-Length:'
  [[ $STATUS == 202 ]] || return 1
  request PUT "$LOCATION?digest=sha256:$(hex_of "$2")"
  [[ $STATUS == 201 ]]
}

# manifest_of LAYER: prints an image manifest over WORK/config and the layer.
manifest_of() {
  printf '{}' >"$WORK/config"
  jq -cn --arg config "sha256:$(hex_of "$WORK/config")" --arg layer "sha256:$(hex_of "$1")" \
    --argjson size "$(stat -c %s "$1")" --arg type "$MEDIA_IMAGE" '{schemaVersion: 2, mediaType: $type,
      config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: 2},
      layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer, size: $size}]}'
}

# push_image REPOSITORY TAG LAYER: config, layer and manifest; true when all was acknowledged.
push_image() {
  manifest_of "$3" >"$WORK/manifest.json"
  push_blob "$1" "$WORK/config" && push_blob "$1" "$3" || return 1
  request PUT "/v2/$1/manifests/$2" -H "Content-Type: $MEDIA_IMAGE" --data-binary "@$WORK/manifest.json"
  [[ $STATUS == 201 ]]
}

# blob_file DIGEST: where a blob's bytes lie.
blob_file() {
  local hex=${1#sha256:}
  find "$SERVER_DATA/store/blobs/sha256/${hex:0:2}" -name "$hex.*" | head -n 1
}

# check_clean WHAT / check_finds WHAT DIGEST [OPTION…]: `havre check --deep` beside the running server.
check_clean() {
  check "$1: havre check --deep is clean" clean_env "$HAVRE" check --deep --data-dir "$SERVER_DATA"
}

check_finds() {
  attempt clean_env "$HAVRE" check --deep --data-dir "$SERVER_DATA" "${@:3}"
  if ((ATTEMPT_STATUS == 1)) && grep -q "$2" "$WORK/attempt"; then
    ok "$1"
  else
    fail "$1: exit $ATTEMPT_STATUS: $(head -c 300 "$WORK/attempt")"
  fi
}

# small_disk DIR SIZE: a file system of its own; remove_work unmounts it should the script end early.
small_disk() {
  mkdir -p "$1"
  mount -t tmpfs -o "size=$2,mode=0700" tmpfs "$1"
}

# fill DIR: takes all the room that is left; `drain DIR` gives it back.
fill() {
  cat /dev/zero >"$1/ballast" 2>/dev/null || true
}

drain() {
  rm -f "$1/ballast"
}
