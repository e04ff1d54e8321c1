# shellcheck shell=bash
# A Docker engine for whoever drives `docker`. Sourced after lib.sh, used after client_begin.

# use_engine: takes the engine that answers; where none does, starts one with storage of its own, which ends with us.
use_engine() {
  # The classic builder needs nothing but the engine; the manifest command was experimental in older clients.
  export DOCKER_BUILDKIT=0 DOCKER_CLI_EXPERIMENTAL=enabled DOCKER_CONFIG=$WORK/docker-config
  mkdir -p "$DOCKER_CONFIG"
  docker version >/dev/null 2>&1 || start_engine
}

# start_engine: changes nothing of the machine's network. Containers have a loopback interface and no other, also when
# `docker run` is not told so.
start_engine() {
  local socket=$WORK/docker.sock
  needs dockerd
  dockerd --iptables=false --ip6tables=false --bridge=none \
    --data-root "$WORK/engine" --exec-root "$WORK/engine.exec" \
    --host "unix://$socket" --pidfile "$WORK/engine.pid" >"$OUT/${INTEROP_NAME:-$CLIENT}.engine.log" 2>&1 &
  on_exit stop_process $!
  export DOCKER_HOST=unix://$socket
  check "an engine starts" until_true 30 docker version
}

# engine_version: what `version` puts into the table.
engine_version() {
  docker version --format 'CLI {{.Client.Version}}, Engine {{.Server.Version}}'
}
