"""A manifest asked for with a token, beside without one, and beside an open server."""

import base64
import http.client
import json
import secrets

from ..failure import Failure
from ..fixtures import IMAGE_REPOSITORY, IMAGE_TAG, Image
from ..results import Metric, Section
from ..run import cpu_of, turned
from ..tools import wrk

NAME = "token"
CONNECTIONS = 16
USER = IMAGE_REPOSITORY.partition("/")[0]
ASKED = {"open": "open server", "anonymous": "anonymous, public repository", "token": "with a token"}


def measure(run):
    """Three ways to ask, in turn, on each engine."""
    section = Section(
        NAME, "Manifest by tag, with a token",
        f"{CONNECTIONS} connections of wrk ask for one manifest by its tag: from a server with `--open`; from one with "
        "accounts, anonymously, the repository being public; and from the same with a token that `/token` gave to the "
        "user it belongs to. Each way of asking is what a client sends after it has its token.",
        [metric for key, title in ASKED.items() for metric in (
            Metric(f"{key}_cpu", f"{title}: server CPU per 1 000", "ms", 1),
            Metric(f"{key}_rate", f"{title}: per second", "", 0, less_is_better=False),
            Metric(f"{key}_p99", f"{title}: p99", "ms", 2),
        )])
    seconds = run.options.pick(5, 2)
    for peer in [peer for peer in run.peers if peer.name.startswith("havre")]:
        password = secrets.token_hex(16)
        guarded_peer = peer.but({"HAVRE_ADMIN_PASSWORD": secrets.token_hex(16)}, accounts=True)
        with run.servers([peer, guarded_peer]) as (opened, guarded):
            path = peer.place_image(opened, Image())
            basic = _prepare(guarded, password)
            servers = {"open": opened, "anonymous": guarded, "token": guarded}
            for key, server in servers.items():
                wrk(server.url, path, CONNECTIONS, 1, _credential(key, guarded, basic))  # Not counted.
            for number in range(run.options.rounds):
                for key in turned(list(ASKED), number):
                    run.say(f"token: {peer.name}, {key}")
                    credential = _credential(key, guarded, basic)
                    with cpu_of(servers[key]) as cpu:
                        got = wrk(servers[key].url, path, CONNECTIONS, seconds, credential)
                    section.add(f"{key}_cpu", peer.name, cpu[0] * 1e6 / got["requests"])
                    section.add(f"{key}_rate", peer.name, got["requests"] / got["seconds"])
                    section.add(f"{key}_p99", peer.name, got["p99_ms"])
    return section


def _prepare(server, password):
    """Makes a user, who pushes the image, and the repository public; returns the user's credential."""
    peer = server.peer
    peer.operator(server, "user", "add", USER, "--password-stdin", given=password + "\n")
    basic = "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()
    Image().push(server, _bearer(server, basic, "pull,push"))
    peer.operator(server, "namespace", "visibility", IMAGE_REPOSITORY, "public")
    return basic


def _credential(key, server, basic):
    return _bearer(server, basic, "pull") if key == "token" else None


def _bearer(server, basic, actions):
    """A fresh token for the image's repository, asked for where the server's challenge says."""
    challenge = _get(server, f"/v2/{IMAGE_REPOSITORY}/manifests/{IMAGE_TAG}-none", {}, None).headers
    service = challenge.get("WWW-Authenticate", "").partition('service="')[2].partition('"')[0]
    target = f"/token?service={service}&scope=repository:{IMAGE_REPOSITORY}:{actions}"
    answer = _get(server, target, {"Authorization": basic}, 200)
    return "Bearer " + json.loads(answer.text)["token"]


def _get(server, target, headers, expected):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        answer.text = answer.read()
    finally:
        connection.close()
    if expected and answer.status != expected:
        raise Failure(f"GET {target}: status {answer.status}, expected {expected}: {answer.text[:500]!r}")
    return answer
