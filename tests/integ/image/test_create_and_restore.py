"""From a root file system to an .upd and back: nothing is lost, and the same input gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.main import main
from gprov.apps.host.image.create import ImageMaker, ImageRequest, RootFolder
from gprov.apps.host.image.tool_sets import ALL_TOOLS, TOOLS_AND_UPDATE
from gprov.domain.branding import Branding
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.imgmeta import ImageMeta
from gprov.domain.image.name import ImageName
from gprov.ports.archive import ProgressReport

Snapshot = Callable[[Path], dict[str, str]]
NAME = "WIDGET.LNX.SHINY.2024-02-29.0107.upd"


def create(output: Path, *source: str, code: int = 0) -> Path:
    words = ["--date", "2024-02-29", "--build", "0107", "--output", str(output), "--meta", "BinVer=1.2"]
    assert main(["image", "create", *words, *source]) == code
    return output / NAME


def extract(image: Path, target: Path, budget: int | None) -> None:
    archives = XzTarArchives(SystemProcesses(), memory_budget=budget)
    verified = archives.verify(str(image), lambda _done, _total: None, MAX_ARCHIVE)
    target.mkdir()
    archives.extract(verified, str(target), lambda _done, _total: None)


@pytest.fixture(scope="module")
def image(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create(tmp_path_factory.mktemp("images"), "--root", str(root))


@pytest.mark.parametrize("budget", [None, 0])
def test_round_trip(image: Path, root: Path, tmp_path: Path, snapshot: Snapshot, budget: int | None) -> None:
    extract(image, tmp_path / "out", budget)
    meta = tmp_path / "out/etc/provisioning/imgmeta.json"
    assert json.loads(meta.read_text()) == {"BinVer": "1.2", "ImgName": NAME}
    before, after = snapshot(root), snapshot(tmp_path / "out")
    for view in before.keys() - {"acls"}:
        lines = [line for line in after[view].split("\n") if "imgmeta.json" not in line]
        assert lines == before[view].split("\n"), view
    assert "cap_net_admin,cap_net_raw=ep" in after["capabilities"]
    assert "default:user:1234:r-x" in after["acls"]
    assert set(before["acls"].split("\n\n")) <= set(after["acls"].split("\n\n"))
    sparse = (tmp_path / "out/var/sparse").stat()
    assert sparse.st_size == 8 << 20
    assert sparse.st_blocks * 512 < 1 << 20


def test_as_other_tools_see_it(image: Path) -> None:
    subprocess.run(["xz", "--test", str(image)], check=True)
    listing = subprocess.run(["xz", "--robot", "--list", str(image)], capture_output=True, check=True, text=True)
    assert listing.stdout.splitlines()[1].split("\t")[6] == "SHA-256"
    with tarfile.open(image, mode="r:xz") as archive:
        names = [name.removeprefix("./") for name in archive.getnames()]
    assert names[0] == "etc/provisioning/imgmeta.json"
    assert names[1:] == sorted(names[1:], key=lambda name: name.split("/"))
    assert "usr/bin/ping" in names


@pytest.mark.parametrize("kind", ["--root", "--tar"])
def test_tools_are_added_and_the_rest_stays(
    root: Path, image: Path, tmp_path: Path, snapshot: Snapshot, kind: str
) -> None:
    source = root
    if kind == "--tar":
        source = tmp_path / "root.tar"
        argv = ["tar", "-C", str(root), "--xattrs", "--xattrs-include=*", "--acls", "--sparse", "-cf", str(source), "."]
        subprocess.run(argv, check=True)
    made = create(tmp_path, kind, str(source), "--tools", "--update")
    listed = subprocess.run(["tar", "-tJf", str(made)], capture_output=True, check=True, text=True).stdout
    names = {name.removeprefix("./") for name in listed.splitlines()}
    assert names >= {*TOOLS_AND_UPDATE.files(), *TOOLS_AND_UPDATE.links()}, "tar ends at the first blocks of zeros"
    extract(made, tmp_path / "out", None)
    extract(image, tmp_path / "without", None)
    programs = {*ALL_TOOLS.programs, *TOOLS_AND_UPDATE.made}
    assert not (root / "usr/sbin").exists()
    for path, content in TOOLS_AND_UPDATE.files().items():
        assert (tmp_path / "out" / path).read_bytes() == content
        assert os.access(tmp_path / "out" / path, os.X_OK) == (os.path.basename(path) in programs)
    for link in ALL_TOOLS.links():
        assert (tmp_path / "out" / link).exists()
    for folder in (
        "usr/sbin",
        "usr/share",
        "usr/lib/gprov",
        "usr/lib/systemd/system",
        "usr/lib/systemd/coredump.conf.d",
    ):
        shutil.rmtree(tmp_path / "out" / folder)
    for name in programs:
        (tmp_path / "out/usr/bin" / name).unlink(missing_ok=True)
    before, after = snapshot(tmp_path / "without"), snapshot(tmp_path / "out")
    del before["times"], after["times"]  # of the folders that this test has just changed
    assert after == before


@pytest.mark.parametrize(
    ("lacks", "problem"),
    [
        (["python3"], "/usr/bin/python3: is missing: gprov-update needs it"),
        (["libcrypto.so.3"], "libcrypto.so.3: is missing: gprov-update needs it"),
    ],
)
@pytest.mark.parametrize("kind", ["--root", "--tar"])
def test_a_root_without_what_gprov_update_needs(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, lacks: list[str], problem: str
) -> None:
    source = tmp_path / "root.tar"
    left_out = [f"--exclude={name}" for name in lacks]
    subprocess.run(["tar", "-C", str(root), "--xattrs", *left_out, "-cf", str(source), "."], check=True)
    if kind == "--root":
        (tmp_path / "root").mkdir()
        subprocess.run(["tar", "-C", str(tmp_path / "root"), "-xf", str(source)], check=True)
        source = tmp_path / "root"
    output = tmp_path / "output"
    output.mkdir()
    create(output, kind, str(source), "--tools", "--update", code=1)
    assert problem in capsys.readouterr().err
    assert list(output.iterdir()) == []
    create(output, kind, str(source), "--tools")


def test_an_old_python_is_refused(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "root.tar"
    rename = "--transform=s,bin/python3.11,bin/python3.9,"
    subprocess.run(["tar", "-C", str(root), rename, "-cf", str(source), "."], check=True)
    create(tmp_path, "--tar", str(source), "--tools", "--update", code=1)
    assert "/usr/bin/python3: is Python 3.9: gprov-update needs Python 3.11 or later" in capsys.readouterr().err


def test_zeros_at_the_end_of_the_last_file_are_no_end_of_the_archive(root: Path, tmp_path: Path) -> None:
    tar = tmp_path / "root.tar"
    subprocess.run(["tar", "-c", "-f", str(tar), "-C", str(root), "."], check=True)
    with tarfile.open(tar, "a") as archive:
        info = tarfile.TarInfo("./zeros")
        info.size = 5000
        archive.addfile(info, io.BytesIO(bytes(5000)))
    extract(create(tmp_path, "--tar", str(tar), "--tools"), tmp_path / "out", None)
    assert (tmp_path / "out/zeros").read_bytes() == bytes(5000)
    assert (tmp_path / "out/usr/bin/gprov-identify").exists()


def test_how_far_it_is(root: Path, tmp_path: Path) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}

    @contextmanager
    def progress(what: str) -> Iterator[ProgressReport]:
        seen[what] = []
        yield lambda done, total: seen[what].append((done, total))

    names = Branding()
    maker = ImageMaker(SystemProcesses(), XzTarArchives(SystemProcesses(), memory_budget=0), names)
    name = ImageName(date(2024, 2, 29), 107, "0107", names.image_prefix)
    request = ImageRequest(source=RootFolder(str(root)), name=name, output=str(tmp_path), meta=ImageMeta(), preset=0)
    image = maker.create(request, lambda _line: None, progress)
    assert [*seen] == ["compressing", "verifying"]
    assert seen["verifying"][-1] == (image.size, image.size)
    done = [done for done, _ in seen["compressing"]]
    totals = {total for _, total in seen["compressing"]}
    assert done == sorted(done)
    assert len({*done}) > 3
    assert len(totals) == 1
    assert max(totals) - (32 << 10) < done[-1] <= max(totals)  # but for the zeros at the end


def test_an_image_of_a_product_with_other_names(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tools, metadata and the file itself; --prefix counts before the prefix in the file."""
    file = tmp_path / "names.toml"
    file.write_text('recovery_label = "RESCUE"\nconfig_folder = "/etc/acme"\nimage_prefix = "ACME.A.B."\n')
    create(tmp_path, "--root", str(root), "--tools", "--branding", str(file))
    create(tmp_path, "--root", str(root), "--branding", str(file), "--prefix", "OTHER.A.B.")
    assert sorted(path.name for path in tmp_path.glob("*.upd")) == [
        "ACME.A.B.2024-02-29.0107.upd",
        "OTHER.A.B.2024-02-29.0107.upd",
    ]
    with tarfile.open(tmp_path / "ACME.A.B.2024-02-29.0107.upd") as archive:
        members = {member.name.removeprefix("./"): member for member in archive}
        assert "etc/acme/imgmeta.json" in members
        content = archive.extractfile(members["usr/lib/gprov/names"])
        assert content is not None
        assert {b"recovery_label=RESCUE", b"config=/etc/acme"} <= set(content.read().split(b"\n"))
    capsys.readouterr()
    made = [str(path) for path in sorted(tmp_path.glob("*.upd"))]
    assert main(["image", "verify", "--json", "--branding", str(file), *made]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["notes"] == []
    assert ["not a name that a restore looks for" in note for note in second["notes"]] == [True]


def test_create_json_output(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = create(tmp_path, "--root", str(root), "--json")
    facts = json.loads(capsys.readouterr().out)
    assert (facts["path"], facts["size"]) == (str(made), made.stat().st_size)
    counts = {"size", "unpacked", "content_bytes", "entries", "needs"}
    assert facts.keys() == {"path", "digest", "has_acls", "notes", *counts}


def test_same_content_gives_the_same_bytes(image: Path, root: Path, tmp_path: Path) -> None:
    """Copied elsewhere, read in another order, made by other processes."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(root), str(copy)], check=True)
    (tmp_path / "images").mkdir()
    again = create(tmp_path / "images", "--root", str(copy))
    assert again.read_bytes() == image.read_bytes()


@pytest.mark.parametrize("packer", [[], ["gzip"], ["xz", "-T2"], ["zstd", "-q"]])
def test_from_an_archive(packer: list[str], image: Path, root: Path, tmp_path: Path, snapshot: Snapshot) -> None:
    options = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "--format=pax"]
    tar = subprocess.run(["tar", "-c", *options, "-C", str(root), "."], capture_output=True, check=True).stdout
    if packer:
        tar = subprocess.run([*packer, "-c"], input=tar, capture_output=True, check=True).stdout
    (tmp_path / "root.tar").write_bytes(tar)
    made = create(tmp_path, "--tar", str(tmp_path / "root.tar"))
    extract(made, tmp_path / "out", None)
    assert snapshot(tmp_path / "out")["attributes"] == snapshot(root)["attributes"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["root.tar", NAME, "out"])


def test_metadata_in_the_archive_is_replaced(root: Path, tmp_path: Path) -> None:
    tar = tmp_path / "root.tar"
    subprocess.run(["tar", "-c", "-f", str(tar), "-C", str(root), "."], check=True)
    with tarfile.open(tar, "a") as archive:
        for content in (b'{"BinVer":"old"}', b'{"BinVer":"older"}' * 100):
            info = tarfile.TarInfo("./etc/provisioning/imgmeta.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    made = create(tmp_path, "--tar", str(tar))
    with tarfile.open(made, "r:xz") as archive:
        members = [member for member in archive if member.name.endswith("imgmeta.json")]
        assert [member.mtime for member in members] == [1709164800]  # 2024-02-29 00:00 UTC
    extract(made, tmp_path / "out", 0)
    assert json.loads((tmp_path / "out/etc/provisioning/imgmeta.json").read_bytes())["ImgName"] == NAME


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("boot/norm_boot", "/boot/norm_boot: is not in the image"),
        ("usr/lib/systemd/systemd", "/usr/lib/systemd/systemd: is not in the image"),
        ("etc/passwd", "/etc/passwd"),
    ],
)
def test_a_root_that_cannot_boot_is_refused(
    broken: str, said: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, output = tmp_path / "copy", tmp_path / "images"
    output.mkdir()
    subprocess.run(["cp", "-a", str(root), str(copy)], check=True)
    (copy / broken).unlink()
    create(output, "--root", str(copy), code=1)
    assert said in capsys.readouterr().err
    assert list(output.iterdir()) == []


def test_no_admin_and_no_kernel(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that is wrong is told at once."""
    copy, output = tmp_path / "copy", tmp_path / "images"
    output.mkdir()
    subprocess.run(["cp", "-a", str(root), str(copy)], check=True)
    (copy / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (copy / "boot/norm_boot").write_bytes(b"no kernel" * 999)
    create(output, "--root", str(copy), code=1)
    said = capsys.readouterr().err
    assert "admin" in said
    assert "HdrS" in said
    assert list(output.iterdir()) == []


def test_an_earlier_image_survives_a_failure(root: Path, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"earlier")
    create(tmp_path, "--tar", str(tmp_path / "none.tar"), code=3)
    create(tmp_path, "--root", str(root / "etc"), code=1)
    create(root / "tmp", "--root", str(root), code=1)  # would hold itself
    create(tmp_path / "none", "--root", str(root), code=3)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(NAME, b"earlier")]


def test_a_full_disk(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(small)], check=True)
    try:
        create(small, "--root", str(root), code=3)
        tar = tmp_path / "root.tar"
        subprocess.run(["tar", "-c", "-f", str(tar), "-C", str(root), "--exclude=var", "."], check=True)
        subprocess.run(["mount", "-o", "remount,size=60k", str(small)], check=True)
        create(small, "--tar", str(tar), code=3)
        assert capsys.readouterr().err.lower().count("no space left") == 2
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_digest_is_of_the_file(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "verify", "--json", str(image)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["digest"] == hashlib.sha256(image.read_bytes()).hexdigest()
    assert row["notes"] == []
    assert row["size"] == os.path.getsize(image)


def test_only_what_a_unit_can_unpack(
    root: Path, tmp_path: Path, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Access control lists of users of this machine, who are not in the image, and attributes of other systems."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(root), str(copy)], check=True)
    listed = copy / "usr/bin/listed"
    listed.write_text("of a user of this machine")
    subprocess.run(["setfacl", "-m", "u:nobody:rwx,g:nogroup:r", str(listed)], check=True)
    made = create(tmp_path, "--root", str(copy))
    with tarfile.open(made, "r:xz") as archive:
        headers = archive.getmember("./usr/bin/listed").pax_headers
    assert headers == {"SCHILY.acl.access": "user::rw-,user:65534:rwx,group::r--,group:65534:r--,mask::rwx,other::r--"}
    extract(made, tmp_path / "out", 0)
    assert snapshot(tmp_path / "out")["acls"].count("user:65534:rwx") == 1
    assert "left out" not in capsys.readouterr().err


def test_an_archive_of_another_system(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tar = tmp_path / "root.tar"
    subprocess.run(["tar", "-c", "-f", str(tar), "--format=pax", "-C", str(root), "."], check=True)
    with tarfile.open(tar, "a", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("odd")
        info.pax_headers = {
            "SCHILY.acl.access": "user::rw-,user:admin:rwx,user:builder:rwx,group::r--,mask::rwx,other::r--",
            "SCHILY.xattr.btrfs.compression": "zstd",
            "SCHILY.xattr.user.kept": "yes",
            "SCHILY.xattr.user.large": "v" * 5000,
            "SCHILY.xattr.security.capability": "junk",
        }
        info.mtime = -631152000.25
        archive.addfile(info)
    made = create(tmp_path, "--tar", str(tar))
    said = capsys.readouterr().err
    for text in ("'user:builder:rwx'", "'btrfs.compression'", "user.large", "'security.capability'"):
        assert any("left out" in line and text in line for line in said.splitlines()), text
    extract(made, tmp_path / "out", 0)
    odd = tmp_path / "out/odd"
    assert os.stat(odd).st_mtime == -631152001
    assert sorted(os.listxattr(odd)) == ["system.posix_acl_access", "user.kept"]
    shown = subprocess.run(["getfacl", "-n", str(odd)], capture_output=True, check=True, text=True).stdout
    assert [line for line in shown.splitlines() if line.startswith("user:")] == ["user::rw-", "user:1000:rwx"]


def test_modules_of_another_kernel_are_told(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The root's kernel is 6.1.9-gprov. A tree of its own modules is no reason for a note."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(root), str(copy)], check=True)
    for release, noted in (("6.1.9-gprov.8.ab", True), ("6.1.9-gprov", False)):
        folder = copy / "usr/lib/modules" / release
        folder.mkdir(parents=True)
        (folder / "modules.dep").touch()
        output = tmp_path / release
        output.mkdir()
        made = create(output, "--root", str(copy))
        note = f"holds modules of {release}, none of kernel 6.1.9-gprov: it loads none of them"
        assert (note in capsys.readouterr().err) == noted
        assert main(["image", "verify", str(made)]) == 0
        assert (f"note: {note}" in capsys.readouterr().out) == noted
