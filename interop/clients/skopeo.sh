#!/usr/bin/env bash
# skopeo: copies between an OCI layout, a directory and the registry without any engine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
bounded 120 "$0" "$@"
client_begin skopeo
needs skopeo curl jq busybox
needs_registry
version "$(skopeo --version | cut -d ' ' -f 3)"

layout=$WORK/layout
make_layout "$layout"
amd64=$(cat "$layout.digests/amd64")
multi=$(cat "$layout.digests/multi")
home=skopeo/app-$$

sk() {
  skopeo --insecure-policy --command-timeout 60s "$@"
}

copy() {
  sk copy --src-tls-verify=false --dest-tls-verify=false "$@"
}

# push and inspect ---------------------------------------------------------------------------------------------
check "copy oci → registry" copy "oci:$layout:amd64" "docker://$REGISTRY/$home:1.0.0"
same "the pushed digest is the layout's" "$amd64" "$(digest_at "$home" 1.0.0)"
check "every pushed byte is there" verify_tree "$home" 1.0.0
sk inspect --tls-verify=false --raw "docker://$REGISTRY/$home:1.0.0" >"$WORK/raw.json" || true
same_file "inspect --raw returns the exact bytes" "$layout/blobs/sha256/${amd64#sha256:}" "$WORK/raw.json"
same "inspect names digest and tags" "$amd64 1.0.0" \
  "$(sk inspect --tls-verify=false "docker://$REGISTRY/$home:1.0.0" | jq -r '"\(.Digest) \(.RepoTags | join(" "))"')"

# several platforms --------------------------------------------------------------------------------------------
check "copy --all of an index" copy --all "oci:$layout:multi" "docker://$REGISTRY/$home:multi"
same "the index keeps its digest" "$multi" "$(digest_at "$home" multi)"
check "every byte of both platforms is there" verify_tree "$home" multi
check "copy --all registry → oci" copy --all "docker://$REGISTRY/$home:multi" "oci:$WORK/back:multi"
check "the round trip kept every blob" diff -r "$layout/blobs" "$WORK/back/blobs"

# dir and Docker schema 2 --------------------------------------------------------------------------------------
check "copy registry → dir" copy "docker://$REGISTRY/$home:1.0.0" "dir:$WORK/dir"
same_file "dir has the exact manifest" "$layout/blobs/sha256/${amd64#sha256:}" "$WORK/dir/manifest.json"
check "copy dir → registry" copy "dir:$WORK/dir" "docker://$REGISTRY/$home:from-dir"
same "dir → registry kept the digest" "$amd64" "$(digest_at "$home" from-dir)"
check "copy as Docker schema 2" copy --format v2s2 "oci:$layout:amd64" "docker://$REGISTRY/$home:schema2"
same "its media type is Docker's" "$MEDIA_DOCKER_IMAGE" "$(media_type_at "$home" schema2)"
check "every byte of it is there" verify_tree "$home" schema2
check "copy with zstd layers" copy --dest-compress-format zstd --dest-compress "dir:$WORK/dir" \
  "docker://$REGISTRY/$home-zstd:1"
check "every zstd byte is there" verify_tree "$home-zstd" 1

# between repositories -----------------------------------------------------------------------------------------
check "copy between repositories" copy --all "docker://$REGISTRY/$home:multi" "docker://$REGISTRY/$home-copy:multi"
same "the copy has the same digest" "$multi" "$(digest_at "$home-copy" multi)"
check "every byte of the copy is there" verify_tree "$home-copy" multi
check "copy by digest" copy "docker://$REGISTRY/$home@$amd64" "docker://$REGISTRY/$home-copy:by-digest"

# lists, sync, delete ------------------------------------------------------------------------------------------
same "list-tags" "1.0.0 from-dir multi schema2" \
  "$(sk list-tags --tls-verify=false "docker://$REGISTRY/$home" | jq -r '.Tags | join(" ")')"
check "sync registry → dir" sk sync --src-tls-verify=false --src docker --dest dir \
  "$REGISTRY/$home-copy" "$WORK/sync"
same "sync fetched each tag" "$(basename "$home")-copy:by-digest $(basename "$home")-copy:multi" \
  "$(cd "$WORK/sync" && find . -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | xargs)"
check "sync dir → registry" sk sync --all --dest-tls-verify=false --src dir --dest docker \
  "$WORK/sync" "$REGISTRY/skopeo/synced-$$"
same "the synced tag has the same digest" "$amd64" \
  "$(digest_at "skopeo/synced-$$/$(basename "$home")-copy" by-digest)"
check "delete" sk delete --tls-verify=false "docker://$REGISTRY/$home:schema2"
same "the deleted tag is gone" 404 "$(status_of HEAD "$home/manifests/schema2")"
refuses "copy of the deleted tag fails" copy "docker://$REGISTRY/$home:schema2" "dir:$WORK/gone"
check "its neighbours are whole" verify_tree "$home" multi

finish
