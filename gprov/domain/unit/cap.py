"""The cap: what ends the time in which the TPM unseals the secrets of a unit.

Their policy is that ``CAP_PCR`` has the value of the machine's start, all zeros. Before the system is started it is
extended, and no program can set it back: PCRs 0 to 15 are reset only with the TPM (TCG PC Client Platform TPM Profile,
table of PCR attributes). Firmware measures into PCRs 0 to 7, GRUB and Linux' EFI stub into 8 and 9, IMA into 10,
systemd into 11, 12 and 15, shim into 14; 13 is that of systemd-stub's extension images, and gprov's kernels have no
systemd-stub. Constants only: every boot of a unit with a TPM imports it.
"""

from __future__ import annotations

CAP_PCR = 13
# SHA-256 of "gprov: the system is started".
CAP_DIGEST = bytes.fromhex("a4c80b57dc8124ac4fb1f6e8dd39e73925c3ca45dbdd67832733bd5c6a0b85eb")
# TPM2_PCR_Extend of the SHA-256 bank (``formats.tpm.policy.pcr_extend``).
CAP_COMMAND = bytes.fromhex("8002 00000041 00000182 0000000d 00000009 40000009 0000 00 0000 00000001 000b") + CAP_DIGEST
