"""The tools of the running system, in a root with busybox alone, so without Python, and with the programs of Debian.

What they print is judged by gprov's own parsers, from the same files.
"""

from __future__ import annotations

import json
import platform
import struct
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.image import tool_sets
from gprov.apps.host.image.tool_sets import ALL_TOOLS, BOOT_GOOD, NETSAVE
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.image.imgmeta import ImageMeta, serialise_imgmeta
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.facts import platform_facts
from gprov.domain.platform.identify import Unit
from tests.integ.image.tool_root import KINDS, ToolRoot, capable, make_root

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, busybox, unshare"),
]

JSON_AWK = Path(tool_sets.__file__).parent / "tools/lib/json.awk"
TOOLS_PAGE = Path(__file__).parents[3] / "docs/reference/image-tools.md"
SERIAL = "GP-0007"
NEW = "WIDGET.LNX.SHINY.2026-02-01.10"
OLD = "WIDGET.LNX.SHINY.2025-02-01.9"
META = ImageMeta(bin_ver="7.1", bin_time="2602011200", img_name=f"{NEW}.upd", stream='a "stream" ß')


@pytest.fixture(params=KINDS)
def root(tmp_path: Path, request: pytest.FixtureRequest) -> ToolRoot:
    return make_root(tmp_path, request.param)


def restored(root: ToolRoot) -> Unit:
    """What a restore leaves on PRIMARY and RECOVERY."""
    unit = Unit(platform=default_table()[0], manufacturer="Maker, \\Inc", product="Ox", sku="", serial=SERIAL)
    (root.config / "platform_facts.json").write_bytes(platform_facts(unit))
    (root.folder / f"{NEW}.disktag").touch()
    (root.config / "boots_started").write_text("12\n")
    (root.config / "boots_confirmed").write_text("12 11\n")
    (root.recovery / f"Image/{NEW}.upd").write_bytes(build_image(build_kernel(7)))
    results = [
        {"Image": OLD, "ImagingAttempts": 9, "ImagingFailures": 8, "Notes": ["Image", NEW]},
        {"Image": NEW, "ImagingAttempts": 3, "ImagingFailures": 1, "BootAttempts": 5, "BootFailures": 4, "Notes": []},
    ]
    (root.recovery / "log/recovery_history.json").write_text(json.dumps({"ImageResults": results}, indent=1))
    return unit


def test_there_is_no_python_in_a_root_with_busybox_alone(tmp_path: Path) -> None:
    root = make_root(tmp_path, KINDS[0])
    assert root.run("sh", "-c", "command -v python3 || find / -xdev -name '*python*'").stdout == ""


@pytest.mark.parametrize("program", sorted({*ALL_TOOLS.programs} - {*NETSAVE.programs, *BOOT_GOOD.programs}))
def test_each_tool_refuses_what_it_does_not_know(root: ToolRoot, program: str) -> None:
    helped = root.run(program, "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert program in helped.stdout
    assert "Needs:" in helped.stdout
    refused = root.run(program, "--wrong")
    assert refused.returncode == 2
    assert "no such option: --wrong" in refused.stderr


def test_users_other_than_root_find_what_only_prints(root: ToolRoot) -> None:
    """By the name alone, with the PATH that Debian gives them (login.defs: ENV_PATH)."""
    rows = [line.split("|") for line in TOOLS_PAGE.read_text().splitlines() if line.startswith("| `gprov-")]
    names = [row[1].strip(" `") for row in rows if row[2].lstrip().startswith("prints ")]
    assert "gprov-currentboot" in names
    path = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    found = root.output("sh", "-c", f"PATH={path}; for name in {' '.join(names)}; do command -v $name; done")
    assert found.splitlines() == [f"/usr/bin/{name}" for name in names]


def test_identify_prints_the_facts_of_the_platform(root: ToolRoot) -> None:
    unit = restored(root)
    found = root.values("gprov-identify", "--ipmi")
    assert found == {
        "platform": unit.platform.family_name,
        "code_name": unit.platform.code_name,
        "manufacturer": r"Maker, \\Inc",  # a backslash stays escaped
        "product": "Ox",
        "sku": "",
        "serial": SERIAL,
        "lcd": "none",
        "source": "/etc/provisioning/platform_facts.json",
        "ipmi": "true" if unit.platform.ipmi else "false",
    }
    assert root.output("gprov-identify", "serial") == f"{SERIAL}\n"
    assert root.run("gprov-identify", "colour").returncode == 2


def test_identify_without_facts_prints_what_smbios_says(root: ToolRoot) -> None:
    silent = root.run("gprov-identify")
    assert (silent.returncode, silent.stdout) == (3, "")
    folder = root.sys / "class/dmi/id"
    folder.mkdir(parents=True)
    for name, value in {"sys_vendor": "Maker", "product_name": "Ox", "product_serial": SERIAL}.items():
        (folder / name).write_text(f"{value}\n")
    done = root.run("gprov-identify")
    assert done.returncode == 1
    assert "unknown platform" in done.stderr
    lines = done.stdout.splitlines()
    assert {"platform=", "manufacturer=Maker", f"serial={SERIAL}", "source=/sys/class/dmi/id"} <= set(lines)


def test_damaged_facts_are_an_error(root: ToolRoot) -> None:
    (root.config / "platform_facts.json").write_text('{"Familyname": "x"')
    done = root.run("gprov-identify")
    assert (done.returncode, done.stdout) == (3, "")
    assert "not JSON" in done.stderr
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize("version", ["6.1.192-gprov", "6.12"])
def test_kver_reads_a_kernel_as_gprov_does(root: ToolRoot, version: str) -> None:
    kernel = build_kernel(4711, version)
    (root.folder / "tmp/kernel").write_bytes(kernel)
    (root.folder / "tmp/bare").write_bytes(
        kernel.replace(b" (gprov@simulation) #4711", b" (a b@c)              #x"[:25])
    )
    for name in ("kernel", "bare"):
        facts = asdict(parse_bzimage((root.folder / "tmp" / name).read_bytes()))
        rows = (
            f"{key.replace('_', ' ') + ':':<14}{'none' if value is None else value}" for key, value in facts.items()
        )
        assert root.output("gprov-kver", f"/tmp/{name}").splitlines() == [*rows]


def test_kver_refuses_what_is_no_kernel(root: ToolRoot) -> None:
    for content in (b"", b"\0" * 2000, build_kernel(1)[:0x204] + b"x" * 2000):
        (root.folder / "tmp/kernel").write_bytes(content)
        done = root.run("gprov-kver", "/tmp/kernel")
        assert (done.returncode, done.stdout) == (1, "")
        assert "/tmp/kernel is not a usable kernel" in done.stderr
    assert root.run("gprov-kver", "/tmp/missing").returncode == 3


def test_kver_of_the_running_kernel(root: ToolRoot) -> None:
    text = root.output("gprov-kver")
    assert f"release:      {platform.release()}\n" in text
    assert f"version:      {platform.version()}\n" in text


def test_imgmeta_prints_the_metadata_of_an_image(root: ToolRoot) -> None:
    content = serialise_imgmeta(META)
    image = root.recovery / f"Image/{NEW}.upd"
    image.write_bytes(build_image(build_kernel(7), extra={"etc/provisioning/imgmeta.json": content}))
    path = f"/mnt/RECOVERY/Image/{NEW}.upd"
    assert json.loads(root.output("gprov-imgmeta", "--raw", path)) == json.loads(content)
    assert root.output("gprov-imgmeta", path).splitlines() == [
        "BinVer: 7.1",
        "BinTime: 2602011200",
        f"ImgName: {NEW}.upd",
        'Stream: a "stream" ß',
    ]
    (root.config / "imgmeta.json").write_bytes(content)
    assert root.output("gprov-imgmeta") == root.output("gprov-imgmeta", path)


def test_imgmeta_of_an_image_without_metadata(root: ToolRoot) -> None:
    restored(root)
    for path in (f"/mnt/RECOVERY/Image/{NEW}.upd", "/etc/fstab"):
        done = root.run("gprov-imgmeta", path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "no metadata" in done.stderr
    assert root.run("gprov-imgmeta").returncode == 1
    assert root.run("gprov-imgmeta", "/missing").returncode == 3


def variable(root: ToolRoot, name: str, content: bytes) -> None:
    folder = root.sys / "firmware/efi/efivars"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"\x07\0\0\0" + content)


def load_option(description: str, path: bytes, arguments: str) -> bytes:
    """UEFI specification, 3.1.3."""
    text = f"{description}\0".encode("utf-16-le")
    return struct.pack("<IH", 1, len(path)) + text + path + f"{arguments}\0".encode("utf-16-le")


def test_currentboot_on_uefi(root: ToolRoot) -> None:
    restored(root)
    variable(root, "BootCurrent", struct.pack("<H", 0x1A))
    variable(root, "BootOrder", struct.pack("<HH", 0x1A, 1))
    variable(root, "Boot001A", load_option("Normal Boot", bytes(range(1, 43)), "quiet real_root=LABEL=PRIMARY"))
    found = root.values("gprov-currentboot")
    assert {key: found[key] for key in ("firmware", "entry", "description", "entry_arguments", "next")} == {
        "firmware": "UEFI",
        "entry": "001A",
        "description": "Normal Boot",
        "entry_arguments": "quiet real_root=LABEL=PRIMARY",
        "next": "",
    }
    variable(root, "BootNext", struct.pack("<H", 0x80))
    assert root.output("gprov-currentboot", "next") == "0080\n"


def test_currentboot_reads_system_and_history(root: ToolRoot) -> None:
    restored(root)
    found = root.values("gprov-currentboot")
    assert found == {
        "firmware": "BIOS",
        "entry": "",
        "description": "",
        "entry_arguments": "",
        "next": "",
        "start": "normal",
        "arguments": Path("/proc/cmdline").read_text().strip(),
        "release": platform.release(),
        "build": found["build"],
        "image": NEW,
        "boots": "12",
        "confirmed": "yes",
        "restores": "3",
        "failures": "1",
        "request": "nothing",
    }
    assert platform.version().startswith(f"#{found['build']}")
    (root.config / "boots_started").write_text("13\n")
    root.recovery_mounted = False
    found = root.values("gprov-currentboot")
    assert (found["confirmed"], found["restores"], found["failures"]) == ("no", "", "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def flat(value: object, path: str = "") -> list[tuple[str, object]]:
    """Leaves by path, as json.awk prints them."""
    if isinstance(value, dict):
        pairs = [(f"{path}.{key}" if path else key, inner) for key, inner in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{path}.{position}", inner) for position, inner in enumerate(value)]
    else:
        return [(path, value)]
    return [leaf for inner_path, inner in pairs for leaf in flat(inner, inner_path)]


def decoded(text: str) -> str:
    """What json.awk leaves escaped."""
    return str(json.loads('"' + text.replace('"', '\\"') + '"'))


@pytest.mark.parametrize("awk", [["mawk"], ["busybox", "awk"]], ids=["mawk", "busybox"])
@settings(max_examples=60, deadline=None)
@given(value=JSON, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_json_awk_reads_what_python_writes(awk: list[str], value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    done = subprocess.run(
        [*awk, "-f", str(JSON_AWK)], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    pairs = [line.split("\t") for line in done.stdout.decode().split("\n")[:-1]]
    leaves = [(path, inner if isinstance(inner, str) else json.dumps(inner)) for path, inner in flat(value)]
    assert [(decoded(path), decoded(printed)) for path, printed in pairs] == leaves


@pytest.mark.parametrize(
    "text", ["", "{", "[1,]", '{"a" 1}', '{"a":1} x', "nul", '"a', '"\\x"', "[1 2]", "01", "{1:2}"]
)
@pytest.mark.parametrize("awk", [["mawk"], ["busybox", "awk"]], ids=["mawk", "busybox"])
def test_json_awk_refuses_what_is_no_json(awk: list[str], text: str) -> None:
    done = subprocess.run(
        [*awk, "-f", str(JSON_AWK)], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"not JSON: ")
