#!/usr/bin/env bash
# crane: the go-containerregistry client.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
bounded 120 "$0" "$@"
client_begin crane
needs crane curl jq busybox
needs_registry
version "$(tool_version crane)"

layout=$WORK/layout
make_layout "$layout"
make_single_layout "$WORK/one" "$layout" amd64
make_single_layout "$WORK/many" "$layout" multi
amd64=$(cat "$layout.digests/amd64")
# crane pushes the index of the layout itself.
multi=sha256:$(hex_of "$WORK/many/index.json")
home=crane/app-$$
app=$REGISTRY/$home

# push and pull ------------------------------------------------------------------------------------------------
check "push of an OCI layout" crane push "$WORK/one" "$app:1.0.0"
same "the pushed digest is the layout's" "$amd64" "$(digest_at "$home" 1.0.0)"
check "push of an index" crane push --index "$WORK/many" "$app:multi"
same "the index keeps its digest" "$multi" "$(digest_at "$home" multi)"
check "every pushed byte is there" verify_tree "$home" multi
check "pull as OCI layout" crane pull --format oci "$app:multi" "$WORK/pulled"
cp "$WORK/many/index.json" "$WORK/many/blobs/sha256/${multi#sha256:}"
check "the pulled layout has every blob" diff -r "$WORK/many/blobs" "$WORK/pulled/blobs"
check "pull as tarball" crane pull "$app:1.0.0" "$WORK/pulled.tar"
same "the tarball's config has its digest" "$(crane config "$app:1.0.0" | sha256sum | cut -d ' ' -f 1)" \
  "$(tar -xOf "$WORK/pulled.tar" "$(tar -xOf "$WORK/pulled.tar" manifest.json | jq -r '.[0].Config')" |
    sha256sum | cut -d ' ' -f 1)"
check "push of that tarball" crane push "$WORK/pulled.tar" "$REGISTRY/$home-tar:1"
check "every byte of it is there" verify_tree "$home-tar" 1

# reading ------------------------------------------------------------------------------------------------------
same "digest" "$multi" "$(crane digest "$app:multi")"
same "digest of one platform" "$amd64" "$(crane digest --platform linux/amd64 "$app:multi")"
crane manifest "$app:1.0.0" >"$WORK/manifest" 2>>"$LOG" || true
same_file "manifest" "$layout/blobs/sha256/${amd64#sha256:}" "$WORK/manifest"
layer=$(jq -r '.layers[0].digest' "$WORK/manifest")
same "blob" "${layer#sha256:}" "$(crane blob "$app@$layer" | sha256sum | cut -d ' ' -f 1)"
crane export "$app:1.0.0" - 2>>"$LOG" | tar -xOf - motto >"$WORK/motto" || true
same_file "export holds the files" "$WORK/root.base/motto" "$WORK/motto"
check "validate --remote" crane validate --remote "$app:1.0.0"
check "validate --remote of an index" crane validate --remote "$app:multi"

# writing ------------------------------------------------------------------------------------------------------
check "tag" crane tag "$app:1.0.0" stable
same "the tag points at the same digest" "$amd64" "$(digest_at "$home" stable)"
same "ls" "1.0.0 multi stable" "$(crane ls "$app" | xargs)"
check "cp between repositories" crane cp "$app:multi" "$REGISTRY/$home-copy:multi"
same "the copy has the same digest" "$multi" "$(digest_at "$home-copy" multi)"
check "every byte of the copy is there" verify_tree "$home-copy" multi
check "cp --all-tags" crane cp --all-tags "$app" "$REGISTRY/$home-all"
same "all tags came along" "1.0.0 multi stable" "$(tags_of "$home-all")"
same "catalog" "$home $home-all $home-copy $home-tar" "$(crane catalog "$REGISTRY" | grep "^$home" | xargs)"
mkdir "$WORK/extra"
printf 'extra\n' >"$WORK/extra/extra"
tar_of "$WORK/extra" >"$WORK/extra.tar"
check "append a layer" crane append -b "$app:1.0.0" -f "$WORK/extra.tar" -t "$app:appended"
same "the appended layer is served" extra "$(crane export "$app:appended" - | tar -xOf - extra)"
check "every byte of it is there" verify_tree "$home" appended
check "mutate" crane mutate --label colour=blue -t "$app:blue" "$app:1.0.0"
same "the label is served" blue "$(crane config "$app:blue" | jq -r .config.Labels.colour)"
check "index append" crane index append -m "$app:1.0.0" -m "$app:blue" -t "$app:list"
check "every byte of the new index is there" verify_tree "$home" list

# deleting -----------------------------------------------------------------------------------------------------
check "delete by digest" crane delete "$app@$(digest_at "$home" appended)"
same "what was deleted is gone" 404 "$(status_of HEAD "$home/manifests/appended")"
same "its tag left the list" "1.0.0 blue list multi stable" "$(crane ls "$app" | xargs)"
refuses "pull of it fails" crane pull "$app:appended" "$WORK/gone.tar"
check "its neighbours are whole" verify_tree "$home" multi

finish
