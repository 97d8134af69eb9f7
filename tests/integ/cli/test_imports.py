"""A command imports its own module only: help must not wait for the packages of others."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIST = """
import sys
from gprov.apps.host.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted(name for name in sys.modules if name.startswith("gprov.apps.host.cli.")))
print("dependency_injector" in sys.modules, "rich" in sys.modules, "requests" in sys.modules)
"""
COMMON = {"commands", "main", "options", "output"}


@pytest.mark.parametrize(
    ("words", "modules"),
    [
        (["--help"], set()),
        (
            ["image", "--help"],
            {"image", "image_sign", "image_tools", "image_values", "progress", "secret_input", "signing"},
        ),
        (["kernel", "--help"], {"kernel", "userfile"}),
        (["lab", "--help"], {"lab", "lab_options"}),
        (["simulate", "lifecycle", "--help"], {"simulate", "userfile"}),
        (
            ["server", "--help"],
            {
                "http_client",
                "secret_input",
                "server",
                "server_accounts",
                "server_audit",
                "server_backup",
                "server_certificate",
                "server_check",
                "server_credentials",
                "server_import",
                "server_keys",
                "server_netboot",
                "server_overrides",
                "server_setup",
                "server_store",
                "server_token",
                "server_values",
                "userfile",
            },
        ),
    ],
)
def test_only_required_modules_are_imported(words: list[str], modules: set[str]) -> None:
    command = [sys.executable, "-c", LIST, *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    *_, names, packages = ended.stdout.splitlines()
    assert {name.rpartition(".")[2] for name in names.split()} == COMMON | modules
    assert packages == "False False False"
