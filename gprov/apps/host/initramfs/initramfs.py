"""Assembles an initramfs: interpreter, frozen modules, programs, libraries and fixed nodes of a flavour."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import CodeType

from gprov.apps.host.initramfs.bytecode import code_of, compiled, marshalled
from gprov.apps.host.initramfs.closure import Module, modules_of
from gprov.apps.host.initramfs.copies import add_copy
from gprov.apps.host.initramfs.cpio import regular
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.initramfs.libraries import LIBRARY_FOLDER_32, Libraries
from gprov.apps.host.initramfs.parts import CONFIGURATION, STANDARD_LIBRARY, Part, PartKind
from gprov.apps.host.initramfs.parts import INTERPRETER as INTERPRETER_PART
from gprov.apps.host.initramfs.replaced import check_replaced
from gprov.apps.host.initramfs.rootfs import RootTree, inside
from gprov.apps.host.initramfs.sources import HOST, PYTHON, SourceSystem
from gprov.apps.host.initramfs.spec import FreezeSpec
from gprov.domain.errors import BadInput, DeviceMissing, Problem, ToolMissing

INTERPRETER = f"/usr/bin/{PYTHON}"
# The interpreter's standard module folder: found by its landmark os.pyc, and on sys.path without the module site.
# One flat folder for all modules needs one folder listing at start-up.
MODULES = f"usr/lib/{PYTHON}"
_PROGRAM_FOLDERS = ("/usr/sbin", "/usr/bin")
# As -OO: without docstrings and asserts; asserts check for defects, which the tests find.
_OPTIMIZE = 2
_EXECUTABLE = 0o755

# -I: no environment variables, no user folders; -S: no module site; -B: do not write bytecode. If this program ends,
# the kernel panics and reboots (CONFIG_PANIC_TIMEOUT).
_INIT = """#!{interpreter} -ISB
import sys
{prepare}from {module} import {function}
sys.exit({function}())
"""
# Of ``FreezeSpec.boot_modules``. The importer is one of the modules that the specification replaces.
_BOOT_MODULES = "boot.modules"
_PREPARE = f"""import boot_importer
boot_importer.install("/{MODULES}", "{_BOOT_MODULES}")
"""


def assemble(spec: FreezeSpec, spec_folder: str, path: Sequence[str], system: SourceSystem = HOST) -> RootTree:
    """Return the tree of one flavour. ``path``: search path for Python modules; files in ``replace`` are relative to
    ``spec_folder``; ``system``: where all other files come from."""
    if system.is_host:
        _require_installed(spec, system)
    tree = RootTree()
    for node in spec.nodes:
        tree.add(node, CONFIGURATION)
    module, _, function = spec.start.partition(":")
    prepare = _PREPARE if spec.boot_modules else ""
    script = _INIT.format(interpreter=INTERPRETER, prepare=prepare, module=module, function=function)
    tree.add(regular("init", script.encode(), _EXECUTABLE), CONFIGURATION)
    libraries = Libraries(system)
    _add_interpreter(tree, libraries, system)
    _add_python(tree, libraries, spec, spec_folder, path)
    for program in spec.programs:
        _add_program(tree, libraries, spec, system, program)
    for target, source in spec.copies.items():
        add_copy(tree, libraries, target, os.path.join(spec_folder, source))
    for database, package in spec.databases.items():
        _add_database(tree, system, database, package)
    for bits, names in ((64, spec.libraries), (32, spec.libraries_32)):
        for library, package in names.items():
            libraries.add(library, package, bits)
    for target, source in libraries.files().items():
        tree.add(regular(target, read_file(source), _EXECUTABLE), Part(PartKind.LIBRARY, library_name(target)))
    return tree


def _add_interpreter(tree: RootTree, libraries: Libraries, system: SourceSystem) -> None:
    found = system.locate(INTERPRETER)
    if found is None:
        remedy = f"apt-get install {PYTHON}-minimal" if system.is_host else "build with the tree's own version"
        raise DeviceMissing(f"{system.root}{INTERPRETER}", f"missing; bytecode depends on the version: {remedy}")
    tree.add(regular(inside(INTERPRETER), read_file(found), _EXECUTABLE), INTERPRETER_PART)
    libraries.add_dependencies_of(found)


def _add_python(tree: RootTree, libraries: Libraries, spec: FreezeSpec, spec_folder: str, path: Sequence[str]) -> None:
    entries = (spec.start.partition(":")[0], *spec.modules)
    modules = modules_of(entries, spec.packages, path, exclude=spec.exclude, prefer_source=spec.prefer_source)
    replaced = [Module(name, os.path.join(spec_folder, file), False) for name, file in spec.replace.items()]
    codes: dict[str, tuple[bool, CodeType]] = {}
    others = [module for module in modules if module.name not in spec.replace]
    check_replaced(others, replaced)
    for module in (*others, *replaced):
        content = _add_module(tree, libraries, module)
        if module.name in spec.boot_modules and not module.is_extension:
            codes[module.name] = (module.is_package, code_of(content))
    if spec.boot_modules:
        tree.add(regular(f"{MODULES}/{_BOOT_MODULES}", marshalled(codes)), Part(PartKind.PYTHON, "modules of a boot"))
    for relative in spec.data:
        found = next((file for root in path if os.path.isfile(file := os.path.join(root, relative))), None)
        if found is None:
            raise DeviceMissing(relative, "no such data file on the module search path")
        tree.add(regular(f"{MODULES}/{relative}", read_file(found)), _python_part(relative.partition("/")[0]))


def _add_module(tree: RootTree, libraries: Libraries, module: Module) -> bytes:
    """Returns the content of its file."""
    content = read_file(module.source)
    if module.is_extension:
        libraries.add_dependencies_of(module.source)
    else:
        name = module.name.replace(".", "/") + ("/__init__" if module.is_package else "") + ".py"
        content = compiled(content, name, _OPTIMIZE)
    tree.add(regular(f"{MODULES}/{module.target}", content), _python_part(module.name.partition(".")[0]))
    return content


def _python_part(top: str) -> Part:
    return STANDARD_LIBRARY if top in sys.stdlib_module_names else Part(PartKind.PYTHON, f"package {top}")


def _require_installed(spec: FreezeSpec, system: SourceSystem) -> None:
    """Raise DeviceMissing with all programs and databases that are missing, and the Debian packages to install."""
    missing = {name: package for name, package in spec.programs.items() if _located(system, name) is None}
    missing |= {path: package for path, package in spec.databases.items() if _database(system, path) is None}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise DeviceMissing(", ".join(sorted(missing)), f"not installed; apt-get install {packages}")


def _located(system: SourceSystem, program: str) -> tuple[str, str] | None:
    """Its path in the system, and the host's."""
    paths = (os.path.join(folder, program) for folder in _PROGRAM_FOLDERS)
    return next(((path, found) for path in paths if (found := system.locate(path)) is not None), None)


def _database(system: SourceSystem, path: str) -> str | None:
    """The host's path."""
    return system.locate(system.files.get(path, path))


def _add_program(tree: RootTree, libraries: Libraries, spec: FreezeSpec, system: SourceSystem, program: str) -> None:
    hint = system.hint(spec.programs[program])
    located = _located(system, program)
    if located is None:
        raise ToolMissing(program, hint)
    path, found = located
    real = os.path.basename(found)
    if real != program and real in spec.programs:
        raise BadInput("initramfs", [Problem(system.root + path, f"is a link to {real}, not the program; {hint}")])
    tree.add(regular(inside(path), read_file(found), _EXECUTABLE), Part(PartKind.PROGRAM, program))
    libraries.add_dependencies_of(found)


def _add_database(tree: RootTree, system: SourceSystem, path: str, package: str) -> None:
    found = _database(system, path)
    if found is None:
        raise DeviceMissing(system.root + path, f"no such file; {system.hint(package)}")
    tree.add(regular(inside(path), read_file(found)), Part(PartKind.DATABASE, path))


def library_name(target: str) -> str:
    """Name of a library in the report. ``target``: its path in the initramfs."""
    folder, _, name = target.rpartition("/")
    return f"{name} (32-bit)" if f"/{folder}" == LIBRARY_FOLDER_32 else name
