"""nginx with sendfile: how cheaply this machine can send bytes that lie in files."""

import getpass
import os
import shutil

from ..fixtures import IMAGE_REPOSITORY, IMAGE_TAG, LARGE_REPOSITORY
from .peer import Peer

CONFIGURATION = """\
user {user};
worker_processes auto;
daemon off;
pid {directory}/pid;
error_log {directory}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log {access_log};
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    default_type application/octet-stream;
    client_body_temp_path {directory}/tmp-1;
    proxy_temp_path {directory}/tmp-2;
    fastcgi_temp_path {directory}/tmp-3;
    uwsgi_temp_path {directory}/tmp-4;
    scgi_temp_path {directory}/tmp-5;
    server {{
        listen 127.0.0.1:{port};
        root {data};
        location = /ready {{ return 200; }}
    }}
}}
"""


class Nginx(Peer):
    """A plain file server; files take the place of blobs and manifests."""

    name = "nginx"
    title = "nginx"
    writes = False
    ready_path = "/ready"
    version_flag = "-v"

    def binary(self):
        return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") or "nginx"

    def command(self, server, options):
        directory = server.directory
        configuration = directory / "nginx.conf"
        self.data_directory(server).mkdir(exist_ok=True)
        configuration.write_text(CONFIGURATION.format(
            user=getpass.getuser(), directory=directory, port=server.port, data=self.data_directory(server),
            access_log=directory / "access.log" if options.access_log else "off"))
        return [self.binary(), "-e", directory / "error.log", "-c", configuration], {}

    def parse_version(self, line):
        return line.rpartition("/")[2]

    def settings(self):
        return "static files, sendfile on, a worker per core"

    def place_blob(self, server, file):
        path = f"v2/{LARGE_REPOSITORY}/blobs/large"
        target = self.data_directory(server) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        return "/" + path

    def place_image(self, server, image):
        path = f"v2/{IMAGE_REPOSITORY}/manifests/{IMAGE_TAG}"
        target = self.data_directory(server) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image.manifest)
        return "/" + path
