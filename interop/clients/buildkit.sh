#!/usr/bin/env bash
# BuildKit: builds and pushes by itself, with provenance, several platforms and its cache in the registry.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
bounded 180 "$0" "$@"
client_begin buildkit
needs buildkitd buildctl runc curl jq busybox
needs_registry
version "$(tool_version buildkitd)"

home=buildkit/app-$$
app=$REGISTRY/$home
socket=$WORK/buildkit.sock

# The native snapshotter copies files and works on every file system.
printf '[registry."%s"]\n  http = true\n' "$REGISTRY" >"$WORK/buildkitd.toml"
buildkitd --config "$WORK/buildkitd.toml" --root "$WORK/buildkit" --addr "unix://$socket" \
  --containerd-worker=false --oci-worker=true --oci-worker-snapshotter native --oci-worker-net host \
  >"$OUT/buildkitd.log" 2>&1 &
on_exit stop_process $!
bctl() {
  buildctl --addr "unix://$socket" "$@"
}
check "the daemon starts" until_true 30 buildctl --addr "unix://$socket" debug workers

context=$WORK/context
mkdir "$context"
busybox_root "$context/root" "version 1"
printf 'FROM scratch\nCOPY root /\nCMD ["/bin/cat", "/motto"]\n' >"$context/base.Dockerfile"
# Each time this RUN really runs, it makes other bytes.
printf 'FROM %s:1\nRUN /bin/cat /motto >/copied && /bin/cat /proc/sys/kernel/random/uuid >/built\n' "$app" \
  >"$context/Dockerfile"
printf 'FROM %s:never\nCOPY root /\n' "$app" >"$context/never.Dockerfile"

# build DOCKERFILE OUTPUT [ARG…]
build() {
  local file=$1 output=$2
  shift 2
  bctl build --progress plain --frontend dockerfile.v0 --local context="$context" --local dockerfile="$context" \
    --opt "filename=$file" --output "$output" "$@"
}

# build and push -----------------------------------------------------------------------------------------------
check "build and push" build base.Dockerfile "type=image,name=$app:1,push=true" --metadata-file "$WORK/meta.json"
same "BuildKit reports the registry's digest" "$(jq -r '."containerimage.digest"' "$WORK/meta.json")" \
  "$(digest_at "$home" 1)"
check "every pushed byte is there" verify_tree "$home" 1
check "build FROM the registry, RUN, push two tags" build Dockerfile \
  "type=image,\"name=$app:2,$app:latest\",push=true"
same "both tags point at it" "$(digest_at "$home" 2)" "$(digest_at "$home" latest)"
check "every byte of it is there" verify_tree "$home" 2
check "push of Docker media types" build base.Dockerfile \
  "type=image,name=$app:schema2,push=true,oci-mediatypes=false"
same "its media type is Docker's" "$MEDIA_DOCKER_IMAGE" "$(media_type_at "$home" schema2)"
check "push of zstd layers" build base.Dockerfile \
  "type=image,name=$app:zstd,push=true,compression=zstd,force-compression=true,oci-mediatypes=true"
check "every zstd byte is there" verify_tree "$home" zstd

# several platforms and provenance -----------------------------------------------------------------------------
check "push of two platforms with provenance" build base.Dockerfile \
  "type=image,name=$app:multi,push=true,oci-mediatypes=true" \
  --opt platform=linux/amd64,linux/arm64 --opt attest:provenance=mode=max
same "its media type is an index" "$MEDIA_INDEX" "$(media_type_at "$home" multi)"
digest_at "$home" multi >/dev/null
same "the index lists two platforms and their attestations" \
  "linux/amd64 linux/arm64 unknown/unknown unknown/unknown" \
  "$(jq -r '.manifests[].platform | "\(.os)/\(.architecture)"' "$WORK/digest_at.json" | sort | xargs)"
check "every byte of it is there" verify_tree "$home" multi

# the cache in the registry ------------------------------------------------------------------------------------
cache=type=registry,ref=$app:cache
check "export of the cache" build Dockerfile "type=local,dest=$WORK/first" \
  --export-cache "$cache,mode=max,image-manifest=true,oci-mediatypes=true"
check "every byte of the cache is there" verify_tree "$home" cache
check "prune of what is local" bctl prune --all
check "build with the cache of the registry" build Dockerfile "type=local,dest=$WORK/second" --import-cache "$cache"
same_file "the RUN was taken from the cache" "$WORK/first/built" "$WORK/second/built"
same_file "what came out is what went in" "$context/root/motto" "$WORK/second/copied"
refuses "build FROM an unknown tag fails" build never.Dockerfile "type=local,dest=$WORK/never"

finish
