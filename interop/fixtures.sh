# shellcheck shell=bash
# Makes images out of nothing but Debian's static busybox, so that no other registry is needed.

# busybox_root DIR TEXT: a root file system in which sh, cat and sha256sum run; /motto holds TEXT.
busybox_root() {
  local applet
  mkdir -p "$1/bin" "$1/etc" "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  for applet in sh cat echo ls sha256sum true; do
    ln -sf busybox "$1/bin/$applet"
  done
  printf 'root:x:0:0:root:/:/bin/sh\n' >"$1/etc/passwd"
  printf '%s\n' "$2" >"$1/motto"
}

# tar_of DIR: a tar stream whose bytes depend on names and contents only.
tar_of() {
  tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - .
}

# layout_put LAYOUT FILE MEDIATYPE: moves FILE among the blobs of an OCI layout, prints its descriptor.
layout_put() {
  local hex size
  hex=$(hex_of "$2")
  size=$(stat -c %s "$2")
  mkdir -p "$1/blobs/sha256"
  mv "$2" "$1/blobs/sha256/$hex"
  jq -cn --arg type "$3" --arg digest "sha256:$hex" --argjson size "$size" \
    '{mediaType: $type, digest: $digest, size: $size}'
}

# layout_image LAYOUT ARCHITECTURE ROOT…: an image with one gzip layer per directory; prints its descriptor.
layout_image() {
  local layout=$1 architecture=$2 root diffs='[]' layers='[]' config descriptor
  shift 2
  for root in "$@"; do
    tar_of "$root" >"$WORK/layer.tar"
    diffs=$(jq -c --arg digest "sha256:$(hex_of "$WORK/layer.tar")" '. + [$digest]' <<<"$diffs")
    gzip -n -1 -c "$WORK/layer.tar" >"$WORK/layer.tgz"
    descriptor=$(layout_put "$layout" "$WORK/layer.tgz" application/vnd.oci.image.layer.v1.tar+gzip)
    layers=$(jq -c --argjson layer "$descriptor" '. + [$layer]' <<<"$layers")
  done
  jq -cn --arg architecture "$architecture" --argjson diffs "$diffs" \
    '{architecture: $architecture, os: "linux", created: "2024-01-01T00:00:00Z",
      config: {Cmd: ["/bin/cat", "/motto"]}, rootfs: {type: "layers", diff_ids: $diffs},
      history: [$diffs[] | {created: "2024-01-01T00:00:00Z", created_by: "interop"}]}' >"$WORK/config.json"
  config=$(layout_put "$layout" "$WORK/config.json" application/vnd.oci.image.config.v1+json)
  jq -cn --arg type "$MEDIA_IMAGE" --argjson config "$config" --argjson layers "$layers" \
    '{schemaVersion: 2, mediaType: $type, config: $config, layers: $layers}' >"$WORK/manifest.json"
  layout_put "$layout" "$WORK/manifest.json" "$MEDIA_IMAGE" |
    jq -c --arg architecture "$architecture" '. + {platform: {os: "linux", architecture: $architecture}}'
}

# layout_name LAYOUT TAG DESCRIPTOR: lists a manifest in the layout's index under a tag.
layout_name() {
  local index=$1/index.json
  [[ -f $index ]] || jq -cn --arg type "$MEDIA_INDEX" \
    '{schemaVersion: 2, mediaType: $type, manifests: []}' >"$index"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
  jq -c --argjson descriptor "$3" --arg tag "$2" \
    '.manifests += [$descriptor + {annotations: {"org.opencontainers.image.ref.name": $tag}}]' \
    "$index" >"$index.new"
  mv "$index.new" "$index"
}

# make_layout DIR: an OCI layout with the images `amd64` and `arm64`, which share a layer, and the index `multi`
# of both. The digest of each is written to DIR.digests/NAME.
make_layout() {
  local layout=$1 amd64 arm64 multi
  mkdir -p "$layout" "$layout.digests"
  busybox_root "$WORK/root.base" "made at $(date +%s.%N)"
  mkdir -p "$WORK/root.amd64" "$WORK/root.arm64"
  head -c 3000000 /dev/urandom >"$WORK/root.amd64/payload"
  head -c 1000000 /dev/urandom >"$WORK/root.arm64/payload"
  amd64=$(layout_image "$layout" amd64 "$WORK/root.base" "$WORK/root.amd64")
  arm64=$(layout_image "$layout" arm64 "$WORK/root.base" "$WORK/root.arm64")
  jq -cn --arg type "$MEDIA_INDEX" --argjson amd64 "$amd64" --argjson arm64 "$arm64" \
    '{schemaVersion: 2, mediaType: $type, manifests: [$amd64, $arm64]}' >"$WORK/index.json"
  multi=$(layout_put "$layout" "$WORK/index.json" "$MEDIA_INDEX")
  layout_name "$layout" amd64 "$amd64"
  layout_name "$layout" arm64 "$arm64"
  layout_name "$layout" multi "$multi"
  jq -rj .digest <<<"$amd64" >"$layout.digests/amd64"
  jq -rj .digest <<<"$arm64" >"$layout.digests/arm64"
  jq -rj .digest <<<"$multi" >"$layout.digests/multi"
}

# make_single_layout DIR LAYOUT TAG: a layout that holds only one of the images of another layout.
make_single_layout() {
  mkdir -p "$1"
  cp -r "$2/blobs" "$2/oci-layout" "$1/"
  jq -c --arg tag "$3" \
    '.manifests |= map(select(.annotations["org.opencontainers.image.ref.name"] == $tag))' \
    "$2/index.json" >"$1/index.json"
}
