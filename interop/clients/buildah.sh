#!/usr/bin/env bash
# buildah: an image from scratch, committed and pushed without a daemon.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
bounded 120 "$0" "$@"
client_begin buildah
needs buildah curl jq busybox
needs_registry
version "$(buildah --version | cut -d ' ' -f 3)"

home=buildah/app-$$
app=$REGISTRY/$home

STORAGE=overlay
bah() {
  buildah --root "$WORK/storage.$STORAGE" --runroot "$WORK/run.$STORAGE" --storage-driver "$STORAGE" "$@"
}
bah info >/dev/null 2>>"$LOG" || STORAGE=vfs
export BUILDAH_ISOLATION=chroot

busybox_root "$WORK/root" "version 1"

# from, commit, push -------------------------------------------------------------------------------------------
container=$(bah from scratch)
check "copy into a container from scratch" bah copy "$container" "$WORK/root" /
check "config" bah config --cmd '["/bin/cat", "/motto"]' --label colour=blue "$container"
same "run" "version 1" "$(bah run "$container" -- /bin/cat /motto)"
check "commit" bah commit --quiet "$container" "$app:1"
check "push" bah push --tls-verify=false --digestfile "$WORK/digest" "$app:1" "docker://$app:1"
one=$(digest_at "$home" 1)
same "buildah reports the registry's digest" "$one" "$(cat "$WORK/digest")"
check "every pushed byte is there" verify_tree "$home" 1
check "commit straight into the registry" bah commit --quiet --tls-verify=false --format docker \
  "$container" "docker://$app:direct"
same "its media type is Docker's" "$MEDIA_DOCKER_IMAGE" "$(media_type_at "$home" direct)"
check "every byte of it is there" verify_tree "$home" direct

# pull ---------------------------------------------------------------------------------------------------------
quiet bah rm "$container"
quiet bah rmi -f "$app:1"
check "pull" bah pull --quiet --tls-verify=false "docker://$app:1"
pulled=$(bah from --tls-verify=false "$app:1")
mount=$(bah mount "$pulled")
# `run` left its mount points behind, and the layer with them.
check "the pulled files are the pushed ones" diff -r \
  -x hostname -x hosts -x resolv.conf -x proc -x run -x sys -x dev "$WORK/root" "$mount"
quiet bah umount "$pulled"

# a file build on an image of the registry ---------------------------------------------------------------------
mkdir "$WORK/context"
printf 'FROM %s:1\nRUN echo second >/second\nCMD ["/bin/cat", "/second"]\n' "$app" >"$WORK/context/Containerfile"
quiet bah rm --all
quiet bah rmi -f --all
check "build FROM an image of the registry" bah build --tls-verify=false --layers -t "$app:2" "$WORK/context"
check "push with the base's layer already there" bah push --tls-verify=false "$app:2" "docker://$app:2"
check "every byte of it is there" verify_tree "$home" 2
same "it kept the base's layer" "$(layers_of "$home" 1 | head -n 1)" "$(layers_of "$home" 2 | head -n 1)"

# a manifest list ----------------------------------------------------------------------------------------------
manifest_list() {
  bah manifest create "$app:list"
  bah manifest add --tls-verify=false --arch amd64 --os linux "$app:list" "docker://$app:1"
  bah manifest add --tls-verify=false --arch arm64 --os linux "$app:list" "docker://$app:2"
  bah manifest push --tls-verify=false --all "$app:list" "docker://$app:list"
}
check "manifest create, add and push --all" manifest_list
same "its media type is an index" "$MEDIA_INDEX" "$(media_type_at "$home" list)"
check "every byte of both platforms is there" verify_tree "$home" list

finish
