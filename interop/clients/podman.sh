#!/usr/bin/env bash
# podman: build, push, forget, pull, run and manifest lists, with storage of its own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
bounded 180 "$0" "$@"
client_begin podman
needs podman curl jq busybox
needs_registry
version "$(podman --version | cut -d ' ' -f 3)"

home=podman/mon-app-$$
app=$REGISTRY/$home

# Without systemd: no cgroups, events in a file. Overlay storage where the kernel lets us, else plain copies.
STORAGE=overlay
pod() {
  podman --root "$WORK/storage.$STORAGE" --runroot "$WORK/run.$STORAGE" --storage-driver "$STORAGE" \
    --tmpdir "$WORK/tmp.$STORAGE" --cgroup-manager cgroupfs --events-backend file "$@"
}
pod info >/dev/null 2>>"$LOG" || STORAGE=vfs

# podman would raise the limits beyond what a container of CI may.
run() {
  pod "${RUNTIME[@]}" run --rm --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network none \
    "${CGROUPS[@]}" "$@" 2>>"$LOG"
}

# choose_runtime: crun runs without cgroups but refuses hybrid ones; runc takes any but wants one.
choose_runtime() {
  RUNTIME=(--runtime crun) CGROUPS=(--cgroups disabled)
  run localhost/base /bin/true >/dev/null || RUNTIME=(--runtime runc) CGROUPS=()
}

busybox_root "$WORK/root" "podman"
import_base() {
  tar_of "$WORK/root" | pod import - localhost/base
}
check "import of a base image" import_base
choose_runtime

# build IMAGE TEXT
build() {
  rm -rf "$WORK/context"
  mkdir "$WORK/context"
  printf '%s\n' "$2" >"$WORK/context/text"
  printf 'FROM localhost/base\nCOPY text /text\nRUN cat /text >/built\nCMD ["/bin/cat", "/built"]\n' \
    >"$WORK/context/Containerfile"
  pod build --isolation chroot -t "$1" "$WORK/context"
}

# build → push → forget → pull → run ---------------------------------------------------------------------------
check "build" build "$app:1.0.0" "version 1.0.0"
check "push" pod push --tls-verify=false --digestfile "$WORK/digest" "$app:1.0.0"
one=$(digest_at "$home" 1.0.0)
same "podman reports the registry's digest" "$one" "$(cat "$WORK/digest")"
same "its media type is OCI's" "$MEDIA_IMAGE" "$(media_type_at "$home" 1.0.0)"
check "every pushed byte is there" verify_tree "$home" 1.0.0
id=$(pod image inspect -f '{{.Id}}' "$app:1.0.0")
check "rmi" pod rmi -f "$app:1.0.0"
refuses "the image is forgotten" pod image exists "$app:1.0.0"
check "pull" pod pull --tls-verify=false "$app:1.0.0"
same "the pulled image is the built one" "$id" "$(pod image inspect -f '{{.Id}}' "$app:1.0.0")"
same "run" "version 1.0.0" "$(run "$app:1.0.0")"

# versions -----------------------------------------------------------------------------------------------------
check "build of a second version" build "$app:2.0.0" "version 2.0.0"
check "push of the second version" pod push --tls-verify=false "$app:2.0.0"
check "push under a second tag" pod push --tls-verify=false "$app:2.0.0" "docker://$app:latest"
two=$(digest_at "$home" 2.0.0)
same "both tags point at it" "$two" "$(digest_at "$home" latest)"
check "push as Docker schema 2" pod push --tls-verify=false --format v2s2 "$app:1.0.0" "docker://$app:schema2"
same "its media type is Docker's" "$MEDIA_DOCKER_IMAGE" "$(media_type_at "$home" schema2)"
check "push with zstd layers" pod push --tls-verify=false --compression-format zstd \
  "$app:1.0.0" "docker://$app-zstd:1"
check "every zstd byte is there" verify_tree "$home-zstd" 1
quiet pod rmi -f "$app:1.0.0" "$app:2.0.0"
check "pull by digest" pod pull --tls-verify=false "$app@$one"
same "the digest runs as version 1" "version 1.0.0" "$(run "$app@$one")"
check "pull of zstd layers" pod pull --tls-verify=false "$app-zstd:1"
same "zstd layers run" "version 1.0.0" "$(run "$app-zstd:1")"
same "search --list-tags" "1.0.0 2.0.0 latest schema2" \
  "$(pod search --tls-verify=false --list-tags "$app" | awk -v app="$app" '$1 == app { print $2 }' | LC_ALL=C sort | xargs)"
refuses "pull of an unknown tag fails" pod pull --tls-verify=false "$app:never"

# a manifest list ----------------------------------------------------------------------------------------------
manifest_list() {
  pod manifest create "$app:list"
  pod manifest add --tls-verify=false --arch amd64 --os linux "$app:list" "docker://$app@$one"
  pod manifest add --tls-verify=false --arch arm64 --os linux "$app:list" "docker://$app@$two"
  pod manifest push --tls-verify=false --all "$app:list" "docker://$app:list"
}
check "manifest create, add and push --all" manifest_list
same "its media type is an index" "$MEDIA_INDEX" "$(media_type_at "$home" list)"
check "every byte of both platforms is there" verify_tree "$home" list
quiet pod manifest rm "$app:list"
check "pull of the list" pod pull --tls-verify=false "$app:list"
same "the platform of this machine runs" "version 1.0.0" "$(run "$app:list")"

finish
