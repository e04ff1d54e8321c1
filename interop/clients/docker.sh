#!/usr/bin/env bash
# docker: build, tag, push, forget, pull, run; the day of someone who uses a registry.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
# shellcheck source-path=SCRIPTDIR source=../engine.sh
. "$here/../engine.sh"
bounded 240 "$0" "$@"
client_begin docker
needs docker curl jq busybox
needs_registry

use_engine
version "$(engine_version)"

home=docker/mon-app-$$
app=$REGISTRY/$home
base=havre-interop-base-$$
IMAGES=("$base")

# An engine that was there before us keeps nothing of ours.
forget_all() {
  docker rmi -f "${IMAGES[@]}"
}
on_exit forget_all

# build IMAGE TEXT [DOCKERFILE-LINE…]: an image of the base, whose command prints TEXT.
build() {
  local image=$1 context=$WORK/context
  IMAGES+=("$image")
  rm -rf "$context"
  mkdir "$context"
  printf '%s\n' "$2" >"$context/text"
  shift 2
  {
    printf 'FROM %s\n' "$base"
    if (($# > 0)); then printf '%s\n' "$@"; fi
    printf 'COPY text /text\nRUN cat /text >/built\nCMD ["/bin/cat", "/built"]\n'
  } >"$context/Dockerfile"
  docker build --network none -t "$image" "$context"
}

run() {
  docker run --rm --network none "$@" 2>>"$LOG"
}

id_of() {
  docker image inspect -f '{{.Id}}' "$1" 2>>"$LOG" || true
}

repo_digest_of() {
  docker image inspect -f '{{range .RepoDigests}}{{println .}}{{end}}' "$1" 2>>"$LOG" |
    sed -n "s|^$REGISTRY/$2@||p" || true
}

busybox_root "$WORK/root" "docker"
import_base() {
  tar_of "$WORK/root" | docker import - "$base"
}
check "import of a base image" import_base

# build → tag → push → forget → pull → run ---------------------------------------------------------------------
IMAGES+=("mon-app-$$")
check "build" build "mon-app-$$" "version 1.0.0"
IMAGES+=("$app:1.0.0")
check "tag" docker tag "mon-app-$$" "$app:1.0.0"
check "push" docker push "$app:1.0.0"
one=$(digest_at "$home" 1.0.0)
id=$(id_of "$app:1.0.0")
same "the engine knows the registry's digest" "$one" "$(repo_digest_of "$app:1.0.0" "$home")"
check "every pushed byte is there" verify_tree "$home" 1.0.0
check "rmi" docker rmi -f "mon-app-$$" "$app:1.0.0"
refuses "the image is forgotten" docker image inspect "$app:1.0.0"
check "pull" docker pull "$app:1.0.0"
same "the pulled image is the built one" "$id" "$(id_of "$app:1.0.0")"
same "run" "version 1.0.0" "$(run "$app:1.0.0")"

# another version and back -------------------------------------------------------------------------------------
check "build of a second version" build "$app:2.0.0" "version 2.0.0"
IMAGES+=("$app:latest" "$app:2" "$app:stable")
quiet docker tag "$app:2.0.0" "$app:latest"
quiet docker tag "$app:2.0.0" "$app:2"
quiet docker tag "$app:1.0.0" "$app:stable"
check "push --all-tags" docker push --all-tags "$app"
same "every tag is there" "1.0.0 2 2.0.0 latest stable" "$(tags_of "$home" | tr ' ' '\n' | LC_ALL=C sort | xargs)"
two=$(digest_at "$home" 2.0.0)
same "latest is the second version" "$two" "$(digest_at "$home" latest)"
same "stable is the first version" "$one" "$(digest_at "$home" stable)"
quiet docker rmi -f "$app:1.0.0" "$app:2.0.0" "$app:2" "$app:latest" "$app:stable"
check "pull of latest" docker pull "$app:latest"
same "it runs as version 2" "version 2.0.0" "$(run "$app:latest")"
check "latest moves back" eval "docker pull $app:1.0.0 && docker tag $app:1.0.0 $app:latest && docker push $app:latest"
same "latest is the first version again" "$one" "$(digest_at "$home" latest)"
quiet docker rmi -f "$app:latest" "$app:1.0.0"
check "pull of latest once more" docker pull "$app:latest"
same "it runs as version 1" "version 1.0.0" "$(run "$app:latest")"
IMAGES+=("$app@$two")
check "pull by digest" docker pull "$app@$two"
same "a digest runs as version 2" "version 2.0.0" "$(run "$app@$two")"
refuses "pull of an unknown tag fails" docker pull "$app:never"

# three images that share layers -------------------------------------------------------------------------------
head -c 5000000 /dev/urandom >"$WORK/root/shared"
quiet import_base
for name in one two three; do
  check "push of sharing image $name" eval "build $REGISTRY/docker/share-$$-$name:1 $name && \
    docker push $REGISTRY/docker/share-$$-$name:1"
  IMAGES+=("$REGISTRY/docker/share-$$-$name:1")
  check "every byte of $name is there" verify_tree "docker/share-$$-$name" 1
done
same "the later pushes mounted the shared layer" 2 "$(grep -c "Mounted from docker/share-$$-" "$LOG" || true)"

# a manifest list ----------------------------------------------------------------------------------------------
manifest_list() {
  docker manifest create --insecure "$app:list" "$app@$one" "$app@$two"
  docker manifest annotate --os linux --arch arm64 --variant v8 "$app:list" "$app@$two"
  docker manifest push --insecure "$app:list"
}
check "manifest create, annotate and push" manifest_list
same "its media type is a Docker list" "$MEDIA_DOCKER_LIST" "$(media_type_at "$home" list)"
check "every byte of both platforms is there" verify_tree "$home" list
check "manifest inspect" docker manifest inspect --insecure "$app:list"
IMAGES+=("$app:list")
check "pull of the list" docker pull --platform linux/amd64 "$app:list"
same "the platform asked for runs" "version 1.0.0" "$(run "$app:list")"

# a large layer ------------------------------------------------------------------------------------------------
mkdir -p "$WORK/large"
head -c 200M /dev/urandom >"$WORK/large/payload"
cp -r "$WORK/root/bin" "$WORK/large/bin"
import_large() {
  tar_of "$WORK/large" | docker import - "$REGISTRY/docker/large-$$:1"
}
IMAGES+=("$REGISTRY/docker/large-$$:1")
check "import of a 200 MB layer" import_large
check "push of a 200 MB layer" docker push "$REGISTRY/docker/large-$$:1"
check "every byte of it is there" verify_tree "docker/large-$$" 1
quiet docker rmi -f "$REGISTRY/docker/large-$$:1"
check "pull of a 200 MB layer" docker pull "$REGISTRY/docker/large-$$:1"
same "a container reads the same bytes" "$(hex_of "$WORK/large/payload")" \
  "$(run "$REGISTRY/docker/large-$$:1" /bin/sha256sum /payload | cut -d ' ' -f 1)"

finish
