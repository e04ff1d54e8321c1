"""Takes a server's files out of the page cache."""

import os


def evict(directory):
    """Writes the files below the directory back and drops them from the page cache.

    Only these files: dropping every cache of the machine would slow down whatever else runs on it, the other servers'
    programs included.
    """
    for parent, _, names in os.walk(directory):
        for name in names:
            _evict_file(os.path.join(parent, name))


def _evict_file(path):
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return  # Removed meanwhile, or a socket.
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        pass
    finally:
        os.close(file)
