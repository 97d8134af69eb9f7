"""A small root file system with everything in it that an image must carry over, and independent views of a tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Snapshot = Callable[[Path], dict[str, str]]


def run(*argv: str, stdin: bytes | None = None, cwd: Path | None = None) -> bytes:
    return subprocess.run(argv, input=stdin, capture_output=True, check=True, cwd=cwd).stdout


def kernel(version: str) -> bytes:
    head = bytearray(32 << 10)
    head[0x1F1] = 0x1F
    head[0x1FE:0x208] = b"\x55\xaa\0\0HdrS\x0f\x02"
    head[0x20E:0x210] = (0x3000 - 0x200).to_bytes(2, "little")
    head[0x211] = 1  # loaded high: bzImage
    head[0x3000 : 0x3000 + len(version)] = version.encode()
    return bytes(head) + os.urandom(100_000)


@pytest.fixture(scope="session")
def make_kernel() -> Callable[[str], bytes]:
    return kernel


@pytest.fixture(scope="session")
def as_root() -> None:
    """Owners, devices and most extended attributes are only root's to make."""
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session")
def root(as_root: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    for folder in ("boot", "etc/provisioning", "usr/lib/systemd", "usr/bin", "dev", "var/log/journal", "tmp"):
        (root / folder).mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "etc/mtab").symlink_to("../proc/self/mounts")
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/UTC")
    (root / "boot/norm_boot").write_bytes(kernel("6.1.9-gprov (me@here) #7 SMP PREEMPT_DYNAMIC now"))
    (root / "usr/lib/systemd/systemd").write_bytes(b"\x7fELF" + os.urandom(5000))
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n")
    (root / "etc/shadow").write_text("root:*:19000:0:99999:7:::\nadmin:!:19000:0:99999:7:::\n")
    (root / "etc/shadow").chmod(0o640)
    (root / "etc/group").write_text("root:x:0:\nadmin:x:1000:\nshadow:x:42:\n")
    (root / "tmp").chmod(0o1777)
    tool = root / "usr/bin/tool"
    tool.write_bytes(os.urandom(30_000))
    tool.chmod(0o4755)
    os.link(tool, root / "usr/bin/hard link")
    ping = root / "usr/bin/ping"
    ping.write_bytes(os.urandom(100))
    run("setcap", "cap_net_raw,cap_net_admin+ep", str(ping))
    run("setfattr", "-n", "user.note", "-v", "0x00ff10", str(tool))
    run("setfattr", "-n", "trusted.mark", "-v", "yes", str(root / "usr/bin"))
    run("setfattr", "-n", "security.selinux", "-v", "system_u:object_r:bin_t:s0", str(ping))
    run("setfacl", "-m", "u:1234:rwx,g:77:r-x", str(root / "var/log/journal"))
    run("setfacl", "-d", "-m", "u:1234:r-x", str(root / "var/log/journal"))
    (root / "var/log/journal/inside").write_text("no inherited ACL\n")
    run("setfacl", "-b", str(root / "var/log/journal/inside"))
    (root / "usr/bin/python3").symlink_to("python3.11")
    (root / "usr/bin/python3.11").write_bytes(b"\x7fELF" + bytes(100))
    (root / "usr/lib/x86_64-linux-gnu").mkdir()
    (root / "usr/lib/x86_64-linux-gnu/libcrypto.so.3").write_bytes(b"\x7fELF" + bytes(50))
    os.mknod(root / "dev/null", 0o020666, os.makedev(1, 3))
    os.mknod(root / "dev/sda", 0o060660, os.makedev(8, 0))
    os.mkfifo(root / "dev/initctl", 0o600)
    with (root / "var/sparse").open("wb") as file:
        file.truncate(8 << 20)
        file.seek(4 << 20)
        file.write(b"in the middle")
    deep = root / "usr" / ("n" * 120) / ("m" * 120)
    deep.mkdir(parents=True)
    (deep / "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n \\ \n name").write_text("odd")
    os.chown(deep, 4_000_000, 3_000_000)
    for number, (folder, _, files) in enumerate(os.walk(root)):
        for name in files:
            os.utime(Path(folder) / name, (0, 1_600_000_000 + number + 0.5), follow_symlinks=False)
    return root


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """What find, getfattr, getfacl and getcap say of a tree: view → text."""

    def take(tree: Path) -> dict[str, str]:
        def find(*words: str) -> list[bytes]:
            return run("find", ".", "-mindepth", "1", *words, cwd=tree).splitlines()

        views = {
            "entries": find("!", "-type", "d", "-printf", "%P\\0%y\\0%m\\0%U\\0%G\\0%s\\0%l\\0%n\\0\\n"),
            "folders": find("-type", "d", "-printf", "%P %m %U %G\\n"),
            "times": [
                line.partition(b".")[0] + b" " + line.partition(b" ")[2] for line in find("-printf", "%T@ %P\\n")
            ],
            "devices": find("-type", "b,c", "-exec", "stat", "-c", "%n %t:%T", "{}", "+"),
            "attributes": [run("getfattr", "-R", "-h", "-d", "-m", "-", "-e", "hex", ".", cwd=tree)],
            "acls": [run("getfacl", "-R", "-P", "-n", ".", cwd=tree)],
            "capabilities": [run("getcap", "-r", ".", cwd=tree)],
            "contents": find("-type", "f", "-exec", "sha256sum", "{}", "+"),
        }
        blocks = [b"\n\n".join(sorted(part.split(b"\n\n"))) for part in views["attributes"] + views["acls"]]
        views["attributes"], views["acls"] = [blocks[0]], [blocks[1]]
        return {name: b"\n".join(sorted(lines)).decode(errors="replace") for name, lines in views.items()}

    return take
