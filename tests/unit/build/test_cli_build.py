"""``gprov build`` with inputs of which nothing can be built: the file and the place are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "byte 0: is not UTF-8"),
        (b"{", "Invalid statement (at line 1, column 1)"),
        (b"x = 1", "x: unknown table (and 3 more)"),
    ],
)
def test_a_bad_specification(tmp_path: Path, content: bytes, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    words = ["build", "initramfs", "--flavor", "normal", "--output", str(tmp_path / "out"), "--spec", str(path)]
    assert main(words) == 1
    assert capsys.readouterr().err.startswith(f"gprov: {path}: {message}")
    assert not (tmp_path / "out").exists()


def test_a_ca_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is collected."""
    path = tmp_path / "ca.pem"
    path.write_bytes(b"no certificate")
    words = ["build", "initramfs", "--flavor", "mfg", "--output", str(tmp_path / "out"), "--ca", str(path)]
    assert main(words) == 1
    assert capsys.readouterr().err.startswith(f"gprov: {path}: must hold exactly one certificate in PEM")
