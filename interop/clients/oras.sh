#!/usr/bin/env bash
# oras: artifacts, referrers and plain blobs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
bounded 120 "$0" "$@"
client_begin oras
needs oras curl jq
needs_registry
version "$(oras version | awk '/^Version:/ { print $2 }')"

home=oras/artifact-$$
art=$REGISTRY/$home
cd "$WORK"
printf '{"name":"bill of materials"}\n' >sbom.json
printf 'signed\n' >signature.txt
head -c 2000000 /dev/urandom >model.bin
printf 'note\n' >note.txt

# artifacts ----------------------------------------------------------------------------------------------------
check "push of an artifact" oras push --plain-http --artifact-type application/vnd.example.model \
  --annotation author=interop "$art:v1,latest" model.bin:application/octet-stream note.txt:text/plain
subject=$(digest_at "$home" v1)
same "both tags point at it" "$subject" "$(digest_at "$home" latest)"
same "the artifact type is served" application/vnd.example.model \
  "$(oras manifest fetch --plain-http "$art:v1" | jq -r .artifactType)"
check "every pushed byte is there" verify_tree "$home" v1
check "pull" oras pull --plain-http -o pulled "$art:v1"
same_file "the pulled file is the pushed one" model.bin pulled/model.bin
same_file "so is the second" note.txt pulled/note.txt
same "resolve" "$subject" "$(oras resolve --plain-http "$art:v1")"
check "push without any file" oras push --plain-http --artifact-type application/vnd.example.empty "$art:empty"

# referrers ----------------------------------------------------------------------------------------------------
check "attach of an SBOM" oras attach --plain-http --artifact-type application/vnd.example.sbom \
  --annotation kind=sbom "$art:v1" sbom.json:application/json
check "attach of a signature" oras attach --plain-http --artifact-type application/vnd.example.signature \
  "$art:v1" signature.txt:text/plain
same "discover shows both" "application/vnd.example.sbom application/vnd.example.signature" \
  "$(oras discover --plain-http --format json "$art:v1" | jq -r '[.referrers[].artifactType] | sort | join(" ")')"
same "discover by type shows one" application/vnd.example.sbom \
  "$(oras discover --plain-http --format json --artifact-type application/vnd.example.sbom "$art:v1" |
    jq -r '[.referrers[].artifactType] | join(" ")')"
same "the referrers API lists both" "application/vnd.example.sbom application/vnd.example.signature" \
  "$(referrers_of "$home" "$subject" || true)"
same "referrers made no fallback tag" "empty latest v1" "$(tags_of "$home")"
sbom=$(oras discover --plain-http --format json --artifact-type application/vnd.example.sbom "$art:v1" |
  jq -r '.referrers[0].digest')
check "attach to a referrer" oras attach --plain-http --artifact-type application/vnd.example.signature \
  "$art@$sbom" signature.txt:text/plain
check "pull of a referrer" oras pull --plain-http -o pulled-sbom "$art@$sbom"
same_file "the pulled referrer is the attached one" sbom.json pulled-sbom/sbom.json

# copy with referrers ------------------------------------------------------------------------------------------
check "copy -r" oras cp -r --from-plain-http --to-plain-http "$art:v1" "$REGISTRY/$home-copy:v1"
same "the copy has the same digest" "$subject" "$(digest_at "$home-copy" v1)"
same "its referrers came along" "application/vnd.example.sbom application/vnd.example.signature" \
  "$(oras discover --plain-http --format json "$REGISTRY/$home-copy:v1" |
    jq -r '[.referrers[].artifactType] | sort | join(" ")')"
same "so did the referrer of a referrer" application/vnd.example.signature \
  "$(oras discover --plain-http --format json "$REGISTRY/$home-copy@$sbom" |
    jq -r '[.referrers[].artifactType] | join(" ")')"
check "copy -r registry → oci layout" oras cp -r --from-plain-http --to-oci-layout "$art:v1" layout:v1
check "copy -r oci layout → registry" oras cp -r --from-oci-layout --to-plain-http layout:v1 \
  "$REGISTRY/$home-back:v1"
check "every byte that came back is there" verify_tree "$home-back" v1

# manifests ----------------------------------------------------------------------------------------------------
check "manifest fetch" oras manifest fetch --plain-http -o fetched.json "$art:v1"
same "it is the exact manifest" "$subject" "sha256:$(hex_of fetched.json)"
jq -c '.annotations.revision = "two"' fetched.json >second.json
check "manifest push" oras manifest push --plain-http "$art:v2" second.json
same "it is served as pushed" "sha256:$(hex_of second.json)" "$(digest_at "$home" v2)"
check "tag" oras tag --plain-http "$art:v2" stable
check "index create" oras manifest index create --plain-http "$art:index" v1 v2
check "every byte of the index is there" verify_tree "$home" index
same "repo tags" "empty index latest stable v1 v2" "$(oras repo tags --plain-http "$art" | xargs)"
check "repo ls names the repository" grep -qx "$home" <(oras repo ls --plain-http "$REGISTRY")
check "manifest delete" oras manifest delete --plain-http -f "$art@$sbom"
same "the deleted referrer left the list" application/vnd.example.signature \
  "$(oras discover --plain-http --format json "$art:v1" | jq -r '[.referrers[].artifactType] | join(" ")')"
same "it is gone" 404 "$(status_of HEAD "$home/manifests/$sbom")"

# blobs --------------------------------------------------------------------------------------------------------
head -c 100000 /dev/urandom >loose.bin
loose=sha256:$(hex_of loose.bin)
check "blob push" oras blob push --plain-http "$art@$loose" loose.bin
check "blob fetch" oras blob fetch --plain-http -o loose.back "$art@$loose"
same_file "the fetched blob is the pushed one" loose.bin loose.back
check "blob delete" oras blob delete --plain-http -f "$art@$loose"
same "the deleted blob is gone" 404 "$(status_of HEAD "$home/blobs/$loose")"

finish
