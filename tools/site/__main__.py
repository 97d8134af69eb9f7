"""``python -m tools.site FOLDER``: makes the folder that MkDocs reads."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.site.assemble import assemble

assemble(Path(sys.argv[1]))
