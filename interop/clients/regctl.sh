#!/usr/bin/env bash
# regctl: deletes tags without their manifest, copies with referrers, uploads in chunks.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
bounded 120 "$0" "$@"
client_begin regctl
needs regctl curl jq busybox
needs_registry
version "$(tool_version regctl)"

export REGCTL_CONFIG=$WORK/regctl.json
quiet regctl registry set --tls disabled "$REGISTRY"
layout=$WORK/layout
make_layout "$layout"
amd64=$(cat "$layout.digests/amd64")
multi=$(cat "$layout.digests/multi")
home=regctl/app-$$
app=$REGISTRY/$home

# images -------------------------------------------------------------------------------------------------------
check "image copy oci layout → registry" regctl image copy "ocidir://$layout:multi" "$app:multi"
same "the index keeps its digest" "$multi" "$(digest_at "$home" multi)"
check "every pushed byte is there" verify_tree "$home" multi
check "image copy of one platform" regctl image copy --platform linux/amd64 "$app:multi" "$app:1.0.0"
same "it keeps its digest" "$amd64" "$(digest_at "$home" 1.0.0)"
check "image copy registry → oci layout" regctl image copy "$app:multi" "ocidir://$WORK/back:multi"
same_file "the index came back as it was" "$layout/blobs/sha256/${multi#sha256:}" \
  "$WORK/back/blobs/sha256/${multi#sha256:}"
same_file "the image came back as it was" "$layout/blobs/sha256/${amd64#sha256:}" \
  "$WORK/back/blobs/sha256/${amd64#sha256:}"
check "manifest head" regctl manifest head "$app:1.0.0"
check "image mod" regctl image mod --create "$app:blue" --label colour=blue "$app:1.0.0"
same "the label is served" blue "$(regctl image config "$app:blue" | jq -r .config.Labels.colour)"

# artifacts ----------------------------------------------------------------------------------------------------
put_sbom() {
  printf '{"bill":"of materials"}\n' |
    regctl artifact put --artifact-type application/vnd.example.sbom --subject "$app:multi"
}
check "artifact put with a subject" put_sbom
same "artifact list shows it" application/vnd.example.sbom \
  "$(regctl artifact list --format '{{range .Descriptors}}{{.ArtifactType}}{{end}}' "$app:multi")"
check "image copy --referrers" regctl image copy --referrers "$app:multi" "$REGISTRY/$home-copy:multi"
same "the referrer came along" application/vnd.example.sbom \
  "$(regctl artifact list --format '{{range .Descriptors}}{{.ArtifactType}}{{end}}' "$REGISTRY/$home-copy:multi")"
check "index create" regctl index create --ref "$app:1.0.0" --ref "$app:blue" "$app:list"
check "every byte of the new index is there" verify_tree "$home" list

# blobs in chunks ----------------------------------------------------------------------------------------------
quiet regctl registry set --blob-chunk 300000 --blob-max 300000 "$REGISTRY"
head -c 2000000 /dev/urandom >"$WORK/blob"
put_blob() {
  regctl blob put "$app" <"$WORK/blob"
}
check "blob put in chunks" put_blob
blob=sha256:$(hex_of "$WORK/blob")
check "the joined chunks hash to the digest" verify_blob "$home" "$blob" 2000000
check "blob copy mounts it" regctl blob copy "$app" "$REGISTRY/$home-copy" "$blob"
check "the mounted blob is whole" verify_blob "$home-copy" "$blob" 2000000
check "blob delete" regctl blob delete "$app" "$blob"
same "the deleted blob is gone" 404 "$(status_of HEAD "$home/blobs/$blob")"
check "its mount is still there" verify_blob "$home-copy" "$blob" 2000000

# lists and deletes --------------------------------------------------------------------------------------------
same "tag ls" "1.0.0 blue list multi" "$(regctl tag ls "$app" | xargs)"
same "tag ls in pages" "1.0.0 blue" "$(regctl tag ls --limit 2 "$app" | xargs)"
check "repo ls names the repository" grep -qx "$home" <(regctl repo ls "$REGISTRY")
quiet regctl image copy "$app:1.0.0" "$app:extra"
check "tag delete" regctl tag delete "$app:extra"
same "the deleted tag is gone" 404 "$(status_of HEAD "$home/manifests/extra")"
same "the manifest behind it is not" "$amd64" "$(digest_at "$home" 1.0.0)"
check "manifest delete" regctl manifest delete "$app@$(digest_at "$home" list)"
same "the deleted manifest is gone" 404 "$(status_of HEAD "$home/manifests/list")"
check "its neighbours are whole" verify_tree "$home" multi

finish
