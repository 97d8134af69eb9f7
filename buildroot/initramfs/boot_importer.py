"""Imports the modules of a normal boot from one file: a search in folders, and a file, for each of 200 modules take
longer than most of them need to run. All modules are in their folders, too.

The file is marshalled: the name of each module, whether it is a package, and its code.
"""

import sys
from marshal import loads

# Without the module importlib, which is a package with several parts.
_ModuleSpec = type(sys.__spec__)
# The finders of built-in and of frozen modules come first, as always; what they find is in the interpreter itself.
_AFTER_BUILT_IN = 2


class _Importer:
    def __init__(self, folder, modules):
        self._folder = folder
        self._modules = modules

    def find_spec(self, name, _path=None, _target=None):
        found = self._modules.get(name)
        if found is None:
            return None
        spec = _ModuleSpec(name, self)
        if found[0]:
            spec.submodule_search_locations = [f"{self._folder}/{name.replace('.', '/')}"]
        return spec

    def create_module(self, _spec):
        return None

    def exec_module(self, module):
        exec(self._modules.pop(module.__name__)[1], vars(module))  # noqa: S102


def install(folder, file):
    """``folder``: of all modules. ``file``: in it."""
    with open(f"{folder}/{file}", "rb") as content:
        sys.meta_path.insert(_AFTER_BUILT_IN, _Importer(folder, loads(content.read())))  # noqa: S302
