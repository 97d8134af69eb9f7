"""Rules that hold on a simulated unit after any sequence of events. Each returns one sentence per violation.

The rules inspect the media with readers of their own: an image is unpacked by the standard library and compared with
the tree on PRIMARY path by path.
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections.abc import Iterable, Iterator
from functools import lru_cache

from gprov.adapters.fake.machine.storage import FakeVolume, Tree
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.apps.host.simulation.signed_factory import FORBIDDEN
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import second_kernel
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, GprovError
from gprov.domain.event_text import event_text
from gprov.domain.events import ProcessState
from gprov.domain.formats.bzimage import parse_whole
from gprov.domain.image.verify import verify_image
from gprov.domain.plan.kernels import FALLBACK_LOADER
from gprov.domain.plan.preconditions import image_problems
from gprov.domain.plan.system_files import MOUNT_POINTS
from gprov.domain.recovery_files import ADMIN_HASH, IMAGE_FOLDER, RATCHETS_FILE, TRUST_FOLDER
from gprov.domain.trust.chain import CHAIN_FILE

SECRETS = tuple(f"{kind}-{SERIAL}".encode() for kind in ("os", "bios", "ipmi"))
_OTHERS = 0o077

# What a restore writes over an image's own file, or beside it: files, and folders with all that is below.
_WRITTEN = frozenset(
    ["/etc/fstab", "/etc/hostname", "/etc/hosts", "/etc/machine-id", "/etc/localtime", "/etc/shadow", "/boot/norm_boot"]
)
_WRITTEN_BELOW = ("/etc/provisioning/", "/etc/systemd/network/", "/etc/systemd/network-defaults/", "/etc/mdadm/")
# Folders that the restored tree has in any case.
_MADE = frozenset(["/var/log/journal", *(f"/{name}" for name in MOUNT_POINTS)])
_ACCOUNTS = "/etc/passwd"
_NEEDED = ("/etc/fstab", "/etc/hostname", "/etc/machine-id", "/etc/provisioning/platform_facts.json")


def volumes(world: World, label: str) -> list[FakeVolume]:
    return [volume for volume in world.machine.volumes() if volume.label == label and not volume.damaged]


def recovery_problems(world: World) -> list[str]:
    """RECOVERY keeps a verified image and a kernel that can be started."""
    names = world.branding
    found = volumes(world, names.recovery_label)
    if len(found) != 1:
        return [f"{len(found)} volumes are labelled {names.recovery_label}"]
    tree = found[0].current
    images = [path for path in tree.paths() if path.startswith(f"/{IMAGE_FOLDER}/") and path.endswith(".upd")]
    problems = []
    if not any(_good_image(path, _content(tree, path), names) for path in images):
        problems.append(f"RECOVERY has no good image among {', '.join(images) or 'none'}")
    if not any(_starts(content) for content in _kernels(world, tree)):
        problems.append("RECOVERY has no kernel that can be started")
    return problems


def system_problems(world: World) -> list[str]:
    """A PRIMARY with the flag file has exactly the tree of one image and the files that a restore writes; no blocks of
    the ESP are lost."""
    names = world.branding
    found = volumes(world, names.primary_label)
    flagged = [volume for volume in found if volume.current.get(f"/{names.flag_file}") is not None]
    if not flagged:
        return []
    if len(flagged) > 1:
        return ["two volumes have the flag file"]
    tree = flagged[0].current
    lost = sum(volume.lost_bytes for volume in volumes(world, names.esp_label))
    return _tree_problems(world, tree) + ([f"{lost} bytes of the ESP belong to no file"] if lost else [])


def _tree_problems(world: World, tree: Tree) -> list[str]:
    names = world.branding
    tags = [path for path in tree.paths() if path.endswith(".disktag")]
    if len(tags) != 1:
        return [f"PRIMARY has the flag file and {len(tags)} tags of images"]
    image = _image_called(world, tags[0].removeprefix("/").removesuffix(".disktag") + ".upd")
    if image is None:
        return [f"PRIMARY bears the tag {tags[0]} of an image that is neither on RECOVERY nor at the factory"]
    wanted = _unpacked(image)
    problems = [f"PRIMARY lacks {path}" for path in (*wanted, *_NEEDED) if tree.get(path) is None]
    for path, node in tree.items():
        if path in _WRITTEN or path.startswith(_WRITTEN_BELOW) or path in (tags[0], f"/{names.flag_file}"):
            continue
        if path in wanted:
            allowed = [wanted[path]]
            if path == _ACCOUNTS:
                # Written anew, readable by all, if an account had to be locked.
                allowed.append((_with_locked_accounts(wanted[path][0], node.content), 0o644))
            if (node.content, node.mode) not in allowed:
                problems.append(f"{path} on PRIMARY is not as in the image")
        elif not any(inner.startswith(f"{path.rstrip('/')}/") for inner in (*wanted, *_NEEDED, *_WRITTEN_BELOW)) and (
            path not in _MADE and not "/var/log/journal".startswith(f"{path}/")
        ):
            problems.append(f"{path} on PRIMARY is neither in the image nor written by a restore")
    problems += [f"{path} on PRIMARY is empty" for path in _NEEDED if not _content(tree, path)]
    problems += [
        f"{path} on PRIMARY has an account without a password"
        for path in (_ACCOUNTS, "/etc/shadow")
        if any(line.split(b":")[1:2] == [b""] for line in _content(tree, path).splitlines())
    ]
    return problems


def _with_locked_accounts(image: bytes, restored: bytes) -> bytes:
    """The image's list of accounts, with ``x`` instead of an open password where the restored one has it."""
    lines, others = image.split(b"\n"), restored.split(b"\n")
    if len(lines) != len(others):
        return image
    return b"\n".join(other if _is_locked(line, other) else line for line, other in zip(lines, others, strict=True))


def _is_locked(line: bytes, restored: bytes) -> bool:
    name, found, rest = line.partition(b":")
    password = rest.partition(b":")[0]
    return bool(found) and password[:1] in (b"", b"$") and restored == name + b":x" + rest[len(password) :]


def trust_problems(world: World) -> list[str]:
    """Where images are judged: PRIMARY never holds one without a signature, and RECOVERY's trust chain is not older
    than the version that is recorded beside it."""
    if not world.built_in:
        return []
    names, tag = world.branding, f"/{FORBIDDEN.removesuffix('.upd')}.disktag"
    problems = [
        "PRIMARY was made from an image without a signature"
        for volume in volumes(world, names.primary_label)
        if volume.current.get(tag) is not None
    ]
    for volume in volumes(world, names.recovery_label):
        record = _content(volume.current, f"/{TRUST_FOLDER}/{RATCHETS_FILE}")
        chain = _content(volume.current, f"/{TRUST_FOLDER}/{CHAIN_FILE}")
        seen = json.loads(record)["TrustVersion"] if record else 0
        if seen > (len(json.loads(chain)["Statements"]) if chain else 0):
            problems.append(f"RECOVERY's trust chain is older than version {seen}, which the unit has seen")
    return problems


def secret_problems(world: World) -> list[str]:
    """Passwords are on no volume, in no event, message, document, argument or environment of a program."""
    places: list[tuple[str, bytes]] = [("a message", text.encode()) for text in world.machine.messages]
    places += [("an event", event_text(event).encode()) for event in world.factory.received]
    places += [(f"document {name}", text.encode()) for name, text in world.factory.documents.items()]
    places += [(f"the {kind.value} report", text.encode()) for (_, kind), text in world.factory.reports.items()]
    for run in world.processes.runs:
        places += [("an argument", word.encode()) for word in run.argv]
    problems = [f"{secret.decode()} is in {place}" for place, text in places for secret in SECRETS if secret in text]
    for volume in world.machine.volumes():
        for path, node in volume.current.items():
            if any(secret in node.content for secret in SECRETS):
                problems.append(f"a password is in {path} of {volume.label}")
            if path.endswith(f"/{ADMIN_HASH}") and node.mode & _OTHERS:
                problems.append(f"{path} of {volume.label} is readable by others ({node.mode:o})")
    return problems


def report_problems(world: World, states: Iterable[ProcessState]) -> list[str]:
    """Success is reported to the factory only if it is so. ``states``: those that this start reported."""
    problems = []
    reported = tuple(states)
    if ProcessState.FR_SUCCEEDED in reported and not any(
        volume.durable.get(f"/{world.branding.flag_file}") for volume in volumes(world, world.branding.primary_label)
    ):
        problems.append("a restore was reported as succeeded, but PRIMARY has no flag file")
    if ProcessState.MFG_SUCCEEDED in reported:
        problems += [f"provisioning was reported as succeeded, but {text}" for text in recovery_problems(world)]
    for good, bad in (
        (ProcessState.FR_SUCCEEDED, ProcessState.FR_FAILED),
        (ProcessState.MFG_SUCCEEDED, ProcessState.MFG_FAILED),
    ):
        if good in reported and bad in reported:
            problems.append(f"one start reported both {good.value} and {bad.value}")
    return problems


def _kernels(world: World, recovery: Tree) -> Iterator[bytes]:
    names = world.branding
    if world.machine.firmware is FirmwareKind.BIOS:
        places = [(recovery, f"/{names.boot_kernel}"), (recovery, f"/{second_kernel(names)}")]
    else:
        esps = volumes(world, names.esp_label)
        places = [(esp.current, path) for esp in esps for path in (f"/{names.boot_kernel}", f"/{FALLBACK_LOADER}")]
    for tree, path in places:
        yield _content(tree, path)


def _starts(content: bytes) -> bool:
    try:
        parse_whole(content)
    except BadInput:
        return False
    return True


@lru_cache(maxsize=256)
def _good_image(path: str, content: bytes, names: Branding) -> bool:
    try:
        # As a restore does: it locks accounts without a password.
        return not image_problems(verify_image(path, content, names), names, locks_accounts=True)
    except GprovError:
        return False


@lru_cache(maxsize=64)
def _unpacked(image: bytes) -> dict[str, tuple[bytes, int]]:
    """Files of an image: content and mode by absolute path."""
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(image))) as archive:
        members = [(member, archive.extractfile(member)) for member in archive if member.isreg()]
        return {f"/{member.name}": (file.read() if file else b"", member.mode) for member, file in members}


def _image_called(world: World, name: str) -> bytes | None:
    """On RECOVERY, or what the factory serves."""
    for volume in volumes(world, world.branding.recovery_label):
        content = _content(volume.current, f"/{IMAGE_FOLDER}/{name}")
        if content and _good_image(f"/{IMAGE_FOLDER}/{name}", content, world.branding):
            return content
    served = [content for url, content in world.origin.content.items() if url.endswith(f"/{name}")]
    return served[0] if served else None


def _content(tree: Tree, path: str) -> bytes:
    node = tree.get(path)
    return node.content if node is not None else b""
