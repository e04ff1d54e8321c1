#!/usr/bin/env bash
# containerd as Debian ships it, driven by its own ctr.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../fixtures.sh
. "$here/../fixtures.sh"
# shellcheck source-path=SCRIPTDIR source=../containerd.sh
. "$here/../containerd.sh"
bounded 120 "$0" "$@"
client_begin ctr
needs containerd ctr curl jq busybox
needs_registry
version "$(containerd --version | awk '{ print $3 }')"
drive_containerd containerd ctr
finish
