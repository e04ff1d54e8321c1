"""Guesses passwords from several addresses while others go on; prints what came of it as JSON.

usage: brute_force.py HOST:PORT SECONDS     (RIGHT: everybody's password; TOKEN: a personal token of alice)
"""

import base64
import hashlib
import http.client
import json
import os
import sys
import threading
import time

host, seconds = sys.argv[1], float(sys.argv[2])
right, token = os.environ["RIGHT"], os.environ["TOKEN"]
known = ["alice"] + [f"victim{n}" for n in range(1, 7)]
lock = threading.Lock()
# The last part of the attack, when whoever guesses has been slowed.
late_seconds = seconds / 2


class Client:
    """One address with one connection, as a program would keep it."""

    def __init__(self, address):
        self.address, self.connection = address, None

    def call(self, method, path, pair=None, body=None, headers=None):
        headers = dict(headers or {})
        if pair:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(pair).encode()).decode()
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(host, timeout=30, source_address=(self.address, 0))
            try:
                self.connection.request(method, path, body=body, headers=headers)
                response = self.connection.getresponse()
                return response.status, response.headers, response.read()
            except (http.client.HTTPException, OSError):
                self.connection = None
                if attempt == 2:
                    raise


def push():
    """alice pushes an image that the others pull."""
    client, pair = Client("127.0.0.1"), ("alice", token)
    config = b"{}"
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    status, _, text = client.call("POST", f"/v2/alice/app/blobs/uploads/?digest={digest}", pair, config)
    assert status == 201, text
    descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": len(config)}
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": descriptor, "layers": [descriptor]}
    status, _, text = client.call(
        "PUT", "/v2/alice/app/manifests/v1", pair, json.dumps(manifest), {"Content-Type": media_type}
    )
    assert status == 201, text


attack = {"requests": 0, "looked_at": 0, "looked_at_known": 0, "looked_at_late": 0, "refused": 0, "let_in": 0,
          "other": 0, "without_retry_after": 0}
others = {}


def attacker(address, names, started):
    client, turn = Client(address), 0
    while (now := time.monotonic()) < started + seconds:
        name = names[turn % len(names)]
        turn += 1
        status, headers, _ = client.call("GET", "/token?service=havre", (name, f"guess-{address}-{turn}"))
        with lock:
            attack["requests"] += 1
            if status == 401:
                attack["looked_at"] += 1
                attack["looked_at_known"] += name in known
                attack["looked_at_late"] += now > started + seconds - late_seconds
            elif status == 429:
                attack["refused"] += 1
                attack["without_retry_after"] += int(headers.get("Retry-After") or 0) < 1
            elif status == 200:
                attack["let_in"] += 1
            else:
                attack["other"] += 1
        time.sleep(0.01)


def other(kind, address, pair, work, started):
    client, took, failed = Client(address), [], 0
    while time.monotonic() < started + seconds:
        begun = time.monotonic()
        failed += not work(client, pair)
        took.append(time.monotonic() - begun)
        time.sleep(0.1)
    took.sort()
    with lock:
        others[kind] = {"requests": len(took), "failed": failed, "p99_ms": round(1000 * took[len(took) * 99 // 100])}


def signs_in(client, pair):
    return client.call("GET", "/token?service=havre&scope=repository:alice/app:pull", pair)[0] == 200


def pulls(client, pair):
    status, _, body = client.call("GET", "/token?service=havre&scope=repository:alice/app:pull", pair)
    if status != 200:
        return False
    bearer = {"Authorization": "Bearer " + json.loads(body)["token"]}
    return client.call("GET", "/v2/alice/app/manifests/v1", headers=bearer)[0] == 200


push()
# Where alice works, she signed in before.
assert signs_in(Client("127.0.0.40"), ("alice", right))
started = time.monotonic()
threads = []


def go(function, *arguments):
    threads.append(threading.Thread(target=function, args=(*arguments, started)))


one, many = [f"127.0.0.{n}" for n in range(2, 12)], [f"127.0.0.{n}" for n in range(12, 18)]
for address in one:
    go(attacker, address, ["alice"])
for address in many:
    go(attacker, address, known[1:] + ["nobody", "somebody"])
go(other, "pulls_by_token", "127.0.0.30", ("alice", token), pulls)
# Even from an address where somebody guesses.
go(other, "pulls_by_token_beside_an_attacker", one[0], ("alice", token), pulls)
go(other, "signs_in_by_password", "127.0.0.31", ("bob", right), signs_in)
go(other, "victim_at_home", "127.0.0.40", ("alice", right), signs_in)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
attack["addresses"] = len(one) + len(many)
attack["late_seconds"] = late_seconds
print(json.dumps({"attack": attack, "others": others}))
