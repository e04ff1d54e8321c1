# shellcheck shell=bash
# What clients/ctr.sh (Debian's containerd) and clients/containerd2.sh (a current one) have in common.

# drive_containerd DAEMON CTR: starts that containerd with storage of its own and drives it.
drive_containerd() {
  local daemon=$1 ctr=$2 home=$CLIENT/app-$$ layout=$WORK/layout socket=$WORK/containerd.sock app multi
  app=$REGISTRY/$home
  start_containerd "$daemon" "$socket"
  check "the daemon starts" until_true 30 "$ctr" -a "$socket" version
  CTR=("$ctr" -a "$socket" -n interop)

  make_layout "$layout"
  make_single_layout "$WORK/many" "$layout" multi
  multi=$(cat "$layout.digests/multi")
  tar -C "$WORK/many" -cf "$WORK/many.tar" .

  check "import of an OCI archive" "${CTR[@]}" image import --all-platforms --no-unpack \
    --base-name "$app" "$WORK/many.tar"
  check "push --plain-http of every platform" "${CTR[@]}" image push --plain-http "$app:multi"
  same "the index keeps its digest" "$multi" "$(digest_at "$home" multi)"
  check "every pushed byte is there" verify_tree "$home" multi
  check "tag" "${CTR[@]}" image tag "$app:multi" "$app:1.0.0"
  check "push of the second tag" "${CTR[@]}" image push --plain-http "$app:1.0.0"
  same "both tags point at it" "$multi" "$(digest_at "$home" 1.0.0)"

  forget_all_images
  same "nothing is left locally" 0 "$("${CTR[@]}" content ls -q 2>>"$LOG" | wc -l)"
  check "pull --plain-http" "${CTR[@]}" image pull --plain-http --snapshotter native "$app:1.0.0"
  same "the pulled image has the pushed digest" "$multi" "$(image_digest "$app:1.0.0")"
  check "the pulled bytes are the pushed ones" same_content "$layout"
  mkdir "$WORK/mounted"
  check "mount of the image" "${CTR[@]}" image mount --snapshotter native "$app:1.0.0" "$WORK/mounted"
  same_file "the mounted file is the pushed one" "$WORK/root.amd64/payload" "$WORK/mounted/payload"
  quiet "${CTR[@]}" image unmount "$WORK/mounted"

  forget_all_images
  check "pull --all-platforms by digest" "${CTR[@]}" image pull --plain-http --snapshotter native \
    --all-platforms "$app@$multi"
  same "every blob of both platforms came" "$(find "$WORK/many/blobs" -type f | wc -l)" \
    "$("${CTR[@]}" content ls -q 2>>"$LOG" | wc -l)"
  check "their bytes are the pushed ones" same_content "$layout"
  refuses "pull of an unknown tag fails" "${CTR[@]}" image pull --plain-http "$app:never"
}

start_containerd() {
  # Kubernetes' interface needs networks that nothing here uses. The native snapshotter copies files and works on
  # every file system; containerd 2 unpacks in the daemon and must be told so there.
  cat >"$WORK/containerd.toml" <<END
version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux/$(dpkg --print-architecture)"
snapshotter = "native"
END
  "$1" --config "$WORK/containerd.toml" --root "$WORK/containerd.root" --state "$WORK/containerd.state" \
    --address "$2" >"$OUT/$CLIENT.daemon.log" 2>&1 &
  on_exit stop_process $!
}

image_digest() {
  "${CTR[@]}" image ls "name==$1" 2>>"$LOG" | awk 'NR == 2 { print $3 }'
}

forget_all_images() {
  local names
  mapfile -t names < <("${CTR[@]}" image ls -q 2>>"$LOG")
  quiet "${CTR[@]}" image rm --sync "${names[@]}"
}

# same_content LAYOUT: each blob that the daemon holds is, byte for byte, the one of the layout.
same_content() {
  local digest count=0
  while read -r digest; do
    "${CTR[@]}" content get "$digest" | cmp - "$1/blobs/sha256/${digest#sha256:}"
    count=$((count + 1))
  done < <("${CTR[@]}" content ls -q)
  ((count > 3))
}
