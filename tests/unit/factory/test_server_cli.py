"""``gprov server``: what is wrong on the command line is a usage error."""

from __future__ import annotations

import pytest

from gprov.apps.host.cli.main import main

DNSMASQ = ["server", "dnsmasq", "--server", "http://10.0.0.1:8901", "--range"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["server", "--data", "d", "--boot-arguments", "x=${mac}"], "iPXE would replace it"),
        ([*DNSMASQ, "10.0.0.9,10.0.0.2", "--interface", "eth0"], "10.0.0.9"),
        ([*DNSMASQ, "10.0.0.2,10.0.0.9", "--interface", "ee/x"], "ee/x"),
        (["server", "account", "token", "mes", "--data", "d", "--role", "manage"], "is not one of 'view', 'operate'"),
    ],
)
def test_usage(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(words)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert message in capsys.readouterr().err
