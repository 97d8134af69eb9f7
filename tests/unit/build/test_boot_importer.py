"""The file of modules that a boot imports, and its importer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gprov.apps.host.initramfs.bytecode import code_of, compiled, marshalled

IMPORTER = Path(__file__).parents[3] / "buildroot/initramfs/boot_importer.py"
PROGRAM = """
import sys
sys.path.insert(0, {importer!r})
import boot_importer
boot_importer.install({folder!r}, "boot.modules")
import package.first, package.second, os
print(package.VALUE, package.first.VALUE, package.second.VALUE, package.first.__package__)
print(type(package.__spec__.loader).__name__, type(package.second.__spec__.loader).__name__)
try:
    import package.third
except ModuleNotFoundError as error:
    print(error.name)
"""


def test_modules_come_from_the_file_and_others_from_their_folder(tmp_path: Path) -> None:
    sources = {
        "package": (True, b"VALUE = 1"),
        "package.first": (False, b"from package import VALUE as V\nVALUE = V + 1"),
    }
    codes = {name: (package, code_of(compiled(text, name, 2))) for name, (package, text) in sources.items()}
    (tmp_path / "boot.modules").write_bytes(marshalled(codes))
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").write_text("VALUE = 'of the folder'")
    (tmp_path / "package/second.py").write_text("VALUE = 3")
    program = PROGRAM.format(importer=str(IMPORTER.parent), folder=str(tmp_path))
    # Without its folder on the path, where replacements of the standard library's modules are as well.
    program = program.replace("import boot_importer\n", "import boot_importer; sys.path.pop(0)\n")
    done = subprocess.run([sys.executable, "-ISB", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "1 2 3 package\n_Importer SourceFileLoader\npackage.third\n"


def test_the_order_in_which_modules_are_found_does_not_matter() -> None:
    codes = {name: (False, code_of(compiled(b"VALUE = 'same text'", name, 2))) for name in ("b", "a")}
    assert marshalled(codes) == marshalled(dict(reversed(codes.items())))
