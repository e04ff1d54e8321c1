#!/usr/bin/env bash
# containerd 2, from its own module: what people run today is newer than what Debian ships.
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
client_begin containerd2
needs containerd2 ctr2 curl jq busybox
needs_registry
version "$(tool_version containerd2)"
drive_containerd containerd2 ctr2
finish
