"""The bytes that every server gets alike."""

import hashlib
import http.client
import json
import os
from urllib.parse import urlsplit

from .failure import Failure
from .paths import DATA

MIB = 1 << 20
LARGE_REPOSITORY = "bench/large"
IMAGE_REPOSITORY = "bench/image"
IMAGE_TAG = "v1"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def random_file(mib):
    """A file of that many MiB of random bytes, made once."""
    return _made(f"random-{mib}", mib, lambda file: [file.write(os.urandom(MIB)) for _ in range(mib)])


def zero_file(mib):
    """A file of that many MiB of zeros, which takes no room, made once."""
    return _made(f"zeros-{mib}", mib, lambda file: file.truncate(mib * MIB))


def _made(name, mib, fill):
    DATA.mkdir(parents=True, exist_ok=True)
    path = DATA / name
    if not path.exists() or path.stat().st_size != mib * MIB:
        partial = path.with_suffix(".partial")
        with open(partial, "wb") as file:
            fill(file)
        partial.rename(path)
    return path


class Image:
    """A small image: eight layers' descriptors make a manifest of usual length."""

    def __init__(self):
        """Makes the same bytes every time."""
        layers = [b"layer %d of the benchmark's image" % number for number in range(8)]
        config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
        self._blobs = [*layers, config]
        self.manifest = json.dumps({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer) for layer in layers],
        }, indent=2).encode()

    def push(self, server, authorization=None):
        """Pushes the image under `IMAGE_REPOSITORY` and `IMAGE_TAG`."""
        headers = {"Authorization": authorization} if authorization else {}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            for blob in self._blobs:
                location = _send(connection, "POST", f"/v2/{IMAGE_REPOSITORY}/blobs/uploads/", b"", 202, headers)
                parts = urlsplit(location)
                query = "&".join(filter(None, [parts.query, f"digest={_digest(blob)}"]))
                _send(connection, "PUT", f"{parts.path}?{query}", blob, 201, headers)
            _send(connection, "PUT", f"/v2/{IMAGE_REPOSITORY}/manifests/{IMAGE_TAG}", self.manifest, 201,
                  {**headers, "Content-Type": MANIFEST_TYPE})
        finally:
            connection.close()


def _digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _descriptor(media_type, content):
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _send(connection, method, target, body, expected, headers):
    """Sends one request and returns the Location of the answer."""
    connection.request(method, target, body, {"Content-Type": "application/octet-stream", **headers})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != expected:
        raise Failure(f"{method} {target}: status {answer.status}, expected {expected}: {text[:500]!r}")
    return answer.headers.get("Location", "")
