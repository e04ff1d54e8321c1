"""What every peer has in common."""

import shutil
import subprocess
from pathlib import Path

from ..fixtures import IMAGE_REPOSITORY, IMAGE_TAG, LARGE_REPOSITORY
from ..tools import load

WHOLE_OUTPUT_SECONDS = 10


class Peer:
    """A server that can be started. A registry, unless a subclass says otherwise."""

    name = ""
    title = ""
    # nginx only serves files: what is pushed is laid down for it, and measures of pushes leave it out.
    writes = True
    ready_path = "/v2/"
    version_flag = "--version"

    def __init__(self, options):
        """Takes the choices of the run."""
        self.options = options

    def binary(self):
        """The program, as a path or a name to be found in PATH."""
        raise NotImplementedError

    def command(self, server, options):
        """The command line and the extra environment that start it; writes the configuration it needs."""
        raise NotImplementedError

    def missing(self):
        """Why the peer cannot be started, or None."""
        return None if shutil.which(self.binary()) else f"{Path(self.binary()).name} is not installed"

    def version(self):
        """What the program says about itself, in one line."""
        done = subprocess.run([self.binary(), self.version_flag], capture_output=True, text=True,
                              timeout=WHOLE_OUTPUT_SECONDS, check=False)
        lines = (done.stdout + done.stderr).strip().splitlines()
        return self.parse_version(lines[0] if lines else "unknown")

    def parse_version(self, line):
        """The version out of the first line that the program prints."""
        return line.split()[-1]

    def settings(self):
        """How it is configured, in a few words for the report."""
        raise NotImplementedError

    def data_directory(self, server):
        """The directory with the bytes it stores."""
        return server.directory / "data"

    def place_blob(self, server, file):
        """Stores the file as a blob and returns the path to pull it from."""
        pushed = load("blob", "-server", server.url, "-repository", LARGE_REPOSITORY, "-file", file)
        return f"/v2/{LARGE_REPOSITORY}/blobs/{pushed['digest']}"

    def place_image(self, server, image):
        """Stores a small image and returns the path of its manifest by tag."""
        image.push(server)
        return f"/v2/{IMAGE_REPOSITORY}/manifests/{IMAGE_TAG}"
