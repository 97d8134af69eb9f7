#!/bin/sh
# Names the kernel as units and factory servers call it.
set -eu

cp -f "$BINARIES_DIR/bzImage" "$BINARIES_DIR/$2"
