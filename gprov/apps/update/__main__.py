"""``python -m gprov.apps.update``: the agent from a checkout."""

from __future__ import annotations

import sys

from gprov.apps.update.main import main

if __name__ == "__main__":
    sys.exit(main())
