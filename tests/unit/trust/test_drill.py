"""The drill of docs/how-to/signing.md, with the tools of an owner: a stolen key, a stolen root, new roots, a lost root.
What units make of it is judged with the chain that they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.domain.image.manifest import Manifest
from tests.unit.trust.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """With two roots a and b, a signer s, and the chain that units were built with."""
    desk = Desk(tmp_path)
    for name in "abs":
        desk.key(name)
    desk.done("keys", "new-chain", "--root", "@a.pub", "--root", "@b.pub", "--signer", "@s.pub", "--output", "@1")
    desk.done("keys", "join", "@1", *desk.signed("1", "a", "b"), "--output", "@built-in")
    return desk


def key_id(desk: Desk, name: str) -> str:
    return str(desk.json("keys", "show", f"@{name}.pub")[0]["key"])


def test_a_stolen_signer(desk: Desk) -> None:
    old = desk.signed_image("2024-01-01.1", "s")
    assert isinstance(desk.unit_says(old, "built-in"), Manifest)

    # It is revoked; the image that units have stays good. Another key takes its place, months later.
    desk.done(
        "keys", "revoke", key_id(desk, "s"), "--chain", "@built-in", "--keep", f"@{old}.manifest", "--output", "@2"
    )
    desk.done("keys", "join", "@2", *desk.signed("2", "a", "b"), "--chain", "@built-in", "--output", "@chain")
    desk.key("s2")
    desk.done("keys", "add-signer", "--chain", "@chain", "--signer", "@s2.pub", "--output", "@3")
    desk.done("keys", "join", "@3", *desk.signed("3", "a", "b"), "--chain", "@chain", "--output", "@chain")
    assert desk.json("keys", "check", "@chain", "--extends", "@built-in")["version"] == 3

    # The thief signs an image that looks newer. A unit that was offline has only the chain that it was built with,
    # and gets the long one together with an image.
    thief = desk.signed_image("2030-01-01.1", "s")
    new = desk.signed_image("2025-01-01.1", "s2", "--trust", str(desk.path("chain")))
    assert isinstance(desk.unit_says(thief, "built-in"), Manifest)  # what it would believe without the long chain
    assert "is no key of the owner in version 1" in str(desk.unit_says(new, "built-in"))
    assert "was revoked (trust version 3)" in str(desk.unit_says(thief, "chain"))
    assert isinstance(desk.unit_says(new, "chain"), Manifest)
    assert isinstance(desk.unit_says(old, "chain"), Manifest)
    assert desk.run("image", "verify", f"@{thief}", "--trust", "@chain") == 1
    assert "was revoked (trust version 3)" in desk.said
    assert desk.run("image", "sign", f"@{thief}", "--key", "@s.key", "--trust", "@chain") == 1
    assert "is no signer in version 3 of the trust chain" in desk.said


def test_a_stolen_root_alone_achieves_nothing(desk: Desk) -> None:
    desk.key("thief")
    desk.key("thiefs-root")
    other = key_id(desk, "b")
    desk.done("keys", "add-signer", "--chain", "@built-in", "--signer", "@thief.pub", "--output", "@2")
    for signatures in (["a"], ["a", "thiefs-root"]):
        assert (
            desk.run("keys", "join", "@2", *desk.signed("2", *signatures), "--chain", "@built-in", "--output", "@x")
            == 1
        )
        assert f"is not signed by the root {other}" in desk.said
        assert not desk.path("x").exists()
    # A chain of the thief's own begins with another statement.
    desk.done("keys", "new-chain", "--root", "@a.pub", "--root", "@thief.pub", "--signer", "@s.pub", "--output", "@own")
    desk.done("keys", "join", "@own", *desk.signed("own", "a", "thief"), "--output", "@own-chain")
    assert desk.run("keys", "check", "@own-chain", "--extends", "@built-in") == 1
    assert "does not continue" in desk.said
    assert not desk.chain("own-chain").begins_as(desk.chain("built-in"))


def test_a_stolen_root_is_replaced(desk: Desk) -> None:
    desk.key("c")
    desk.done("keys", "replace-root", key_id(desk, "a"), "--new", "@c.pub", "--chain", "@built-in", "--output", "@2")
    signatures = desk.signed("2", "a", "b", "c")
    for left_out in range(3):
        some = [one for number, one in enumerate(signatures) if number != left_out]
        assert desk.run("keys", "join", "@2", *some, "--chain", "@built-in", "--output", "@chain") == 1
    desk.done("keys", "join", "@2", *signatures, "--chain", "@built-in", "--output", "@chain")
    # From now on the old root has no say, and old images are as good as before.
    desk.key("s2")
    desk.done("keys", "add-signer", "--chain", "@chain", "--signer", "@s2.pub", "--output", "@3")
    assert desk.run("keys", "join", "@3", *desk.signed("3", "a", "b"), "--chain", "@chain", "--output", "@chain") == 1
    desk.done("keys", "join", "@3", *desk.signed("3", "b", "c"), "--chain", "@chain", "--output", "@chain")
    image = desk.signed_image("2024-01-01.1", "s")
    assert isinstance(desk.unit_says(image, "chain"), Manifest)


def test_a_lost_root_needs_a_new_kernel(desk: Desk) -> None:
    """No statement can follow without both roots: a kernel with another chain, in an image that units accept, brings
    one that begins above the version that they remember."""
    desk.key("c")
    desk.done("keys", "replace-root", key_id(desk, "a"), "--new", "@c.pub", "--chain", "@built-in", "--output", "@2")
    assert desk.run("keys", "join", "@2", *desk.signed("2", "b", "c"), "--chain", "@built-in", "--output", "@x") == 1
    desk.done(
        *("keys", "new-chain", "--root", "@b.pub", "--root", "@c.pub", "--signer", "@s.pub", "--output", "@new"),
        *("--first-version", "2"),
    )
    desk.done("keys", "join", "@new", *desk.signed("new", "b", "c"), "--output", "@new-chain")
    assert desk.chain("new-chain").version > desk.chain("built-in").version
    image = desk.signed_image("2024-01-01.1", "s")
    assert isinstance(desk.unit_says(image, "built-in"), Manifest)
    assert isinstance(desk.unit_says(image, "new-chain"), Manifest)
