"""Which file system a path lies on, read from a list of mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.mounts import MOUNTS, filesystem, network_filesystem


def _kind(path: str, *mounts: str) -> str | None:
    lines = [f"source {mount} rw,relatime 0 0\n" for mount in ("/ ext4", *mounts)]
    return network_filesystem(Path(path), "".join(lines))


def test_the_deepest_mount_decides() -> None:
    mounts = ("/shared nfs4", "/shared/scratch xfs", "/shared/scratch/deep lustre")
    assert _kind("/shared/lab.db", *mounts) == "nfs4"
    assert _kind("/shared/scratch/lab.db", *mounts) is None
    assert _kind("/shared/scratch/deep/lab.db", *mounts) == "lustre"
    assert _kind("/sharedly/lab.db", *mounts) is None


def test_of_two_mounts_on_one_place_the_later_one_counts() -> None:
    assert _kind("/data/lab.db", "/data nfs", "/data ext4") is None
    assert _kind("/data/lab.db", "/data ext4", "/data nfs") == "nfs"


def test_blanks_and_backslashes_in_a_mount_point_are_read() -> None:
    assert _kind("/my shared\\disk/lab.db", r"/my\040shared\134disk cifs") == "cifs"
    assert _kind("/my/lab.db", r"/my\040shared\134disk cifs") is None


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    real = tmp_path.resolve() / "real"
    (tmp_path / "link").symlink_to(real)
    assert _kind(str(tmp_path / "link" / "lab.db"), f"{real} gpfs") == "gpfs"


@pytest.mark.parametrize("kind", [
    "nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "fuse.ceph", "fuse.sshfs", "fuse.glusterfs",
    "fuse.s3fs", "fuse.rclone", "fuse.juicefs", "afs", "wekafs", "gfs2", "ocfs2",
])
def test_what_several_machines_mount_is_refused(kind: str) -> None:
    assert _kind("/data/lab.db", f"/data {kind}") == kind


@pytest.mark.parametrize("kind", [
    "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "9p", "virtiofs", "fuseblk", "fuse.fuse-overlayfs", "f2fs",
    "vfat", "bcachefs",
])
def test_disks_of_one_machine_and_of_containers_are_not(kind: str) -> None:
    assert _kind("/data/lab.db", f"/data {kind}") is None


def test_the_list_of_this_machine_is_read(tmp_path: Path) -> None:
    if not MOUNTS.exists():
        pytest.skip("this system has no /proc/self/mounts")
    assert filesystem(tmp_path) and filesystem(Path("/proc")) == "proc"
