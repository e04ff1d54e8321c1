# shellcheck shell=bash
# Looks at the registry from outside the client under test, with nothing but curl, jq and sha256sum: what a
# client believes it pushed must be there, byte for byte.

MEDIA_IMAGE=application/vnd.oci.image.manifest.v1+json
MEDIA_INDEX=application/vnd.oci.image.index.v1+json
MEDIA_DOCKER_IMAGE=application/vnd.docker.distribution.manifest.v2+json
MEDIA_DOCKER_LIST=application/vnd.docker.distribution.manifest.list.v2+json

# fetch_manifest REPOSITORY REFERENCE FILE: writes the body, prints its digest. False when the header names
# another digest than the bytes have.
fetch_manifest() {
  local headers digest told
  headers=$(mktemp "$WORK/headers.XXXXXX")
  curl -fsS -D "$headers" -o "$3" \
    -H "Accept: $MEDIA_IMAGE, $MEDIA_INDEX, $MEDIA_DOCKER_IMAGE, $MEDIA_DOCKER_LIST" \
    "http://$REGISTRY/v2/$1/manifests/$2" || return 1
  digest=sha256:$(hex_of "$3")
  told=$(header_of "$headers" docker-content-digest)
  if [[ $told != "$digest" ]]; then
    printf 'Docker-Content-Digest is %s, the bytes have %s\n' "$told" "$digest" >&2
    return 1
  fi
  printf '%s\n' "$digest"
}

# header_of FILE NAME: the value of a header in a file that curl -D wrote.
header_of() {
  awk -v name="$2:" 'tolower($1) == name { sub(/^[^:]*:[ \t]*/, ""); sub(/\r$/, ""); print }' "$1" | tail -n 1
}

# digest_at REPOSITORY REFERENCE: the digest of the manifest that the registry serves.
digest_at() {
  fetch_manifest "$1" "$2" "$WORK/digest_at.json"
}

# media_type_at REPOSITORY REFERENCE: the Content-Type of the manifest.
media_type_at() {
  curl -fsS -o /dev/null -w '%{content_type}' \
    -H "Accept: $MEDIA_IMAGE, $MEDIA_INDEX, $MEDIA_DOCKER_IMAGE, $MEDIA_DOCKER_LIST" \
    "http://$REGISTRY/v2/$1/manifests/$2"
}

# status_of METHOD PATH: the HTTP status of a request below /v2/.
status_of() {
  local options=(-s -o /dev/null -w '%{http_code}')
  if [[ $1 == HEAD ]]; then options+=(--head); else options+=(-X "$1"); fi
  curl "${options[@]}" -H "Accept: $MEDIA_IMAGE, $MEDIA_INDEX, $MEDIA_DOCKER_IMAGE, $MEDIA_DOCKER_LIST" \
    "http://$REGISTRY/v2/$2"
}

# verify_tree REPOSITORY REFERENCE: fetches everything that hangs below a manifest and hashes it: children of an
# index, config and layers. Sizes must match as well.
verify_tree() {
  local repository=$1 body child digest size
  body=$(mktemp "$WORK/manifest.XXXXXX")
  fetch_manifest "$repository" "$2" "$body" >/dev/null || return 1
  while read -r child; do
    verify_tree "$repository" "$child" || return 1
  done < <(jq -r '.manifests[]?.digest' "$body")
  while read -r digest size; do
    verify_blob "$repository" "$digest" "$size" || return 1
  done < <(jq -r '(.config, .layers[]?) | select(. != null and .urls == null) | "\(.digest) \(.size)"' "$body")
}

# verify_blob REPOSITORY DIGEST SIZE
verify_blob() {
  local file=$WORK/verify_blob
  curl -fsS -o "$file" "http://$REGISTRY/v2/$1/blobs/$2" || return 1
  if [[ $(stat -c %s "$file") != "$3" || sha256:$(hex_of "$file") != "$2" ]]; then
    printf 'blob %s of %s: %s bytes, wanted %s; sha256 %s\n' \
      "$2" "$1" "$(stat -c %s "$file")" "$3" "$(hex_of "$file")" >&2
    return 1
  fi
}

# tags_of REPOSITORY: one line, in the order of the registry.
tags_of() {
  curl -fsS "http://$REGISTRY/v2/$1/tags/list" | jq -r '(.tags // []) | join(" ")'
}

# referrers_of REPOSITORY DIGEST: artifact types, sorted, one line.
referrers_of() {
  curl -fsS "http://$REGISTRY/v2/$1/referrers/$2" | jq -r '[.manifests[].artifactType] | sort | join(" ")'
}

# layers_of REPOSITORY REFERENCE: the digests of an image's layers, one a line.
layers_of() {
  fetch_manifest "$1" "$2" "$WORK/layers_of.json" >/dev/null
  jq -r '.layers[].digest' "$WORK/layers_of.json"
}
