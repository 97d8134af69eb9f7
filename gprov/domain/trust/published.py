"""Where trust in images is found: in the initramfs of a kernel, and in the system that this kernel has started.

``/init`` copies the files of its kernel for the agent of updates, which judges a download as a restore would. Constants
only: every boot imports it.
"""

from __future__ import annotations

# In the initramfs.
BUILT_IN_FOLDER = "/etc/gprov/trust"
# In the running system.
PUBLISHED_FOLDER = "/run/gprov/trust"
POLICY = "policy"
CHAIN = "trust.chain"
SECURITY_VERSION = "security-version"
BUILT_IN_FILES = (POLICY, CHAIN, SECURITY_VERSION)
# Numbers that stores besides RECOVERY hold: ``domain.trust.ratchets``. In PUBLISHED_FOLDER, if there is such a store.
NUMBERS = "ratchets.json"
MAX_PUBLISHED = 4 << 20  # bytes of one file
