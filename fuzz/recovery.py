"""Targets: records on RECOVERY, kernels, saved network configuration."""

from __future__ import annotations

import tarfile

from fuzz import seeds
from fuzz.harness import Target, expect
from fuzz.images import NAME, TAR_SEEDS, TAR_WORDS
from gprov.domain.boot.boot_counts import BootCounts, parse_confirmed, parse_started, serialise_started
from gprov.domain.boot.budget import (
    DAY,
    StartBudget,
    give_up_pause,
    parse_budget,
    restore_pause,
    serialise_budget,
)
from gprov.domain.formats.bzimage import newest, parse_bzimage
from gprov.domain.image.history import parse_history, serialise_history
from gprov.domain.unit.netsaved import parse_saved


def history(data: bytes) -> None:
    parsed = parse_history(data)
    expect(parse_history(serialise_history(parsed)) == parsed, "a history that changes when it is written and read")
    for name in ("one", *(result.image for result in parsed.results[:2])):
        used = parsed.with_attempt(name).with_failure(name, "note").with_boot_results(name, 2, 1, 1)
        expect(parse_history(serialise_history(used)) == used, "a history that reads differently after use")


def start_budget(data: bytes) -> None:
    parsed = parse_budget("start_budget.json", data)
    used = parsed.with_boot_failure(0, parsed.reason).with_restore_started(1, parsed.recorded_boots)
    for one in (parsed, parsed.at_time(2**62), used):
        expect(parse_budget("", serialise_budget(one)) == one, "a budget that changes when it is written and read")
        expect(give_up_pause(one.given_up) <= DAY >= restore_pause(one.restores, 300.0), "a pause of more than a day")


def boot_counts(data: bytes) -> None:
    at, _, confirmed = data.partition(b";")
    counts = BootCounts(parse_started("started", at), *parse_confirmed("confirmed", confirmed))
    expect(0 <= counts.unconfirmed <= counts.started, "more unconfirmed starts than starts")
    expect(
        parse_started("", serialise_started(counts.with_boot_attempt())) > 0,
        "a count that cannot be read after writing",
    )


def kernel(data: bytes) -> None:
    facts = parse_bzimage(data)
    newest(facts, None)


def saved_network(data: bytes) -> None:
    files = parse_saved("netd.tar", data)
    for name in files:
        folder, slash, file = name.rpartition("/")
        expect(not file.startswith(".") and "/" not in folder, "a name that leaves the folder")
        expect(bool(folder) == bool(slash) and not folder.startswith("."), "a folder that leaves the folder")


def _networks() -> list[bytes]:
    files = {
        "567890000001.network": b"[Match]\nMACAddress=56:78:90:00:00:01\n",
        "./a.link": b"",
        ".config-preserved": b"",
    }
    return [seeds.tar(files, kind) for kind in (tarfile.USTAR_FORMAT, *TAR_SEEDS)]


def _history() -> list[bytes]:
    result = {"Image": NAME[:-4], "ImagingAttempts": 2, "ImagingFailures": 1, "BootAttempts": 1, "Notes": ["why"]}
    return [seeds.document({"ImageResults": [result, {**result, "Image": "other"}]}), b'{"ImageResults": []}']


TARGETS = (
    Target(
        "history", "recovery_history.json", history, _history, (b'"ImageResults"', b'"Notes"', b"99999999999", b"1e9")
    ),
    Target(
        "start-budget",
        "start_budget.json",
        start_budget,
        lambda: [
            serialise_budget(StartBudget()),
            serialise_budget(
                StartBudget(given_up=9, restores=9, last_ns=10**18, reason="why", recorded_boots="W.1 1 1 1")
            ),
        ],
        (b'"GivenUp"', b'"Version"', b"99999999999", b"1e9", b"\\ud800"),
    ),
    Target(
        "boot-counts",
        "boots_started, boots_confirmed",
        boot_counts,
        lambda: [b"12\n;11 9\n", b"0;0 0"],
        (b"999999999",),
    ),
    Target(
        "bzimage", "bzImage header", kernel, lambda: [seeds.bzimage(), seeds.bzimage(b"6 #1")], (b"HdrS", b"#", b"(")
    ),
    Target("netd-tar", "netd.tar", saved_network, _networks, TAR_WORDS),
    Target(
        "netd-tar-sealed",
        "the same, checksums right",
        saved_network,
        _networks,
        TAR_WORDS,
        seeds.with_valid_checksums_tar,
    ),
)
