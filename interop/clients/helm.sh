#!/usr/bin/env bash
# helm: charts as OCI artifacts.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../registry.sh
. "$here/../registry.sh"
# shellcheck source-path=SCRIPTDIR source=../charts.sh
. "$here/../charts.sh"
bounded 120 "$0" "$@"
client_begin helm
needs helm curl jq
needs_registry
version "$(tool_version helm)"

home=helm/charts-$$
export HELM_CONFIG_HOME=$WORK/config HELM_CACHE_HOME=$WORK/cache HELM_DATA_HOME=$WORK/data
# It makes no directory by itself.
mkdir "$WORK"/{pulled,by-digest,newest,range}
make_chart "$WORK/chart" demo 1.2.3
check "package" helm package "$WORK/chart" -d "$WORK"
chart=$WORK/demo-1.2.3.tgz

check "push" helm push --plain-http "$chart" "oci://$REGISTRY/$home"
check "every pushed byte is there" verify_tree "$home/demo" 1.2.3
same "it is tagged with its version" 1.2.3 "$(tags_of "$home/demo")"
same "it is a chart" application/vnd.cncf.helm.config.v1+json \
  "$(curl -fsS -H "Accept: $MEDIA_IMAGE" "http://$REGISTRY/v2/$home/demo/manifests/1.2.3" | jq -r .config.mediaType)"
check "pull by version" helm pull --plain-http "oci://$REGISTRY/$home/demo" --version 1.2.3 -d "$WORK/pulled"
same_file "the pulled chart is the pushed one" "$chart" "$WORK/pulled/demo-1.2.3.tgz"
digest=$(digest_at "$home/demo" 1.2.3)
check "pull by digest" helm pull --plain-http "oci://$REGISTRY/$home/demo@$digest" -d "$WORK/by-digest"
same_file "it is the same chart" "$chart" "$WORK/by-digest/demo@${digest/:/-}.tgz"

# A plus sign is none of a tag's letters: helm writes an underscore in its place.
make_chart "$WORK/chart" demo 1.3.0+build.7
check "package with build metadata" helm package "$WORK/chart" -d "$WORK"
check "push of it" helm push --plain-http "$WORK/demo-1.3.0+build.7.tgz" "oci://$REGISTRY/$home"
same "both versions are tagged" "1.2.3 1.3.0_build.7" "$(tags_of "$home/demo")"
check "pull without a version takes the newest" helm pull --plain-http "oci://$REGISTRY/$home/demo" -d "$WORK/newest"
same_file "it is the newest" "$WORK/demo-1.3.0+build.7.tgz" "$WORK/newest/demo-1.3.0+build.7.tgz"
check "pull by a range of versions" helm pull --plain-http "oci://$REGISTRY/$home/demo" --version '~1.2' -d "$WORK/range"
same_file "it is the newest of the range" "$chart" "$WORK/range/demo-1.2.3.tgz"
check "show chart" helm show chart --plain-http "oci://$REGISTRY/$home/demo" --version 1.2.3
check "template" helm template demo --plain-http "oci://$REGISTRY/$home/demo" --version 1.2.3

# Beside its archive lies what proves its origin.
printf 'signed\n' >"$chart.prov"
check "push with a provenance file" helm push --plain-http "$chart" "oci://$REGISTRY/$home"
check "every byte of it is there" verify_tree "$home/demo" 1.2.3
same "the manifest names both" 2 \
  "$(curl -fsS -H "Accept: $MEDIA_IMAGE" "http://$REGISTRY/v2/$home/demo/manifests/1.2.3" | jq '.layers | length')"
refuses "pull of what is not there" helm pull --plain-http "oci://$REGISTRY/$home/never" --version 1.0.0

finish
