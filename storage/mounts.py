"""Which file system a path lies on, and whether SQLite is safe there. Reads the kernel's list; writes nothing."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")

# File systems that several machines mount at once. SQLite's write-ahead log is memory that the processes of ONE machine
# share, and the locks of these are missing, late or not kept between clients: two machines that write lose data without
# an error. Each name stands for itself, for its versions (nfs4, smb3) and for its FUSE client (fuse.sshfs).
# Not here, on purpose: 9p, virtiofs and overlay. So do containers and virtual machines show their own disk.
NETWORK = (
    "acfs", "afs", "beegfs", "ceph", "cifs", "curlftpfs", "dav", "dvs", "gcsfuse", "gfs", "glusterfs",
    "goofys", "gpfs", "gvfsd-fuse", "juicefs", "lizardfs", "lustre", "mfs", "moosefs", "mount-s3", "ncpfs", "nfs",
    "ocfs2", "orangefs", "panfs", "pvfs2", "quobyte", "rclone", "s3fs", "seaweedfs", "smb", "sshfs", "vastnfs", "weka",
)
ESCAPE = re.compile(r"\\([0-7]{3})")


def filesystem(path: Path, mounts: str | None = None) -> str:
    """The type of the file system that holds `path`, which need not exist yet; '' where the kernel does not say.

    `mounts` is the text of /proc/self/mounts, for tests.
    """
    try:
        text = MOUNTS.read_text(errors="surrogateescape") if mounts is None else mounts
    except OSError:  # not Linux
        return ""
    here, kind, longest = f"{path.resolve()}/", "", -1
    for line in text.splitlines():
        _, mount, found, *_ = line.split(" ")
        mount = ESCAPE.sub(lambda code: chr(int(code[1], 8)), mount).rstrip("/")
        if here.startswith(f"{mount}/") and len(mount) >= longest:  # of two on one place the later one hides the first
            kind, longest = found, len(mount)
    return kind


def network_filesystem(path: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system `path` lies on, or None when it lies on a disk of this machine."""
    kind = filesystem(path, mounts)
    return kind if kind.removeprefix("fuse.").startswith(NETWORK) else None
