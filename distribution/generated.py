"""Files of the Debian package that are made of the code: ``python -m distribution.generated ROOT DATE``.

Manual pages, completion for shells, the service of the factory server. ROOT: the content of the package. DATE: in
seconds of Unix time.
"""

from __future__ import annotations

import sys
from pathlib import Path

from distribution.completion import write_scripts
from distribution.man import write_pages
from gprov.apps.host.cli.server_keys import SYSTEM_KEY
from gprov.domain.factory.setup.unit_file import TEMPLATE_NAME, template_unit

MANUALS = "usr/share/man/man1"
UNITS = "lib/systemd/system"
PROGRAM = "/usr/bin/gprov"


def write_generated(root: Path, now: int) -> list[Path]:
    """Return the paths that were written."""
    unit = root / UNITS / TEMPLATE_NAME
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(template_unit(PROGRAM, SYSTEM_KEY))
    return [*write_pages(root / MANUALS, now), *write_scripts(root), unit]


if __name__ == "__main__":
    write_generated(Path(sys.argv[1]), int(sys.argv[2]))
