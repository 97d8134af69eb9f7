#!/bin/sh
# -I: neither the environment's PYTHONPATH nor the user's own packages count.
exec /usr/lib/gprov/bin/python3 -I -m gprov.apps.host.cli.main "$@"
