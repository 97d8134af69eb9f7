"""Names of files on RECOVERY. Names that an adopter may change are in ``Branding``.

``norm_boot``                     the kernel (``Branding.boot_kernel``), on the ESP or, on BIOS units, here
``Image/*.upd``                   images; beside them manifests and signatures: ``domain.image.companions``
``Image/trust.chain``             a trust chain that came with an image
``trust/trust.chain``             the trust chain in use: ``domain.trust.chain``
``trust/trust.chain.copy``        the same once more, in case the first is damaged
``trust/ratchets.json``           ``domain.trust.ratchets``
``trust/installed.manifest``      manifest of the image that was restored last, and with ``.minisig`` its signature
``fr.data``                       options for the next restore: ``domain.unit.frdata``
``factory_ca.pem``                trust in HTTPS servers: ``domain.unit.trust``
``platform.ident``                code name of a unit that was identified by fallback, one line
``boot.args``                     ``domain.boot.kept_arguments``
``secrets/admin.hash``            hash of the admin password, one line
``secrets/unit.key``              ``domain.unit.unit_key``: proves the unit to its factory server
``secrets/*.sealed``              the same, sealed to the unit's TPM: ``domain.unit.sealed_file``
``insecure.storage``              passwords in plain text, of units that gprovision provisioned:
                                  ``domain.unit.insecure_storage``
``update/state.json``             ``domain.update.state``: the last action of the update server
``update/update.toml``            ``domain.update.config``: in place of the image's own
``update/offer``                  ``domain.update.decision``: what a person at the unit is asked about
``update/decision``               ``domain.update.decision``: what that person says
``gprov/recovery.cfg``            menu of BIOS units: ``domain.boot.grub.menus``
``log/recovery_history.json``     ``domain.image.history`` (folder: ``Branding.log_folder``)
``log/start_budget.json``         ``domain.boot.budget``
``log/shell_access.json``         ``domain.unit.shell_access``
``log/erase.json``                ``domain.erase.record``
``log/erase_raid.json``           ``domain.erase.raid_metadata_record``
``log/erase_left.json``           ``domain.erase.left_ends``, of the last erase
``log/erase_report.json``         ``domain.erase.report``, of the last erase
``log/erase_report.json.certificate.json``  its certificate, and with ``.sig`` the signature
``log/netd.tar``                  ``domain.unit.netsaved``
``log/emergency_media.json``      ``domain.emergency.request``
``log/*.log``                     ``domain.log_files``

Constants only: every boot imports it.
"""

from __future__ import annotations

IMAGE_FOLDER = "Image"
OPTIONS_FILE = "fr.data"
PLATFORM_IDENT = "platform.ident"
TRUST_FILE = "factory_ca.pem"
KEPT_ARGUMENTS_FILE = "boot.args"
TRUST_FOLDER = "trust"
CHAIN_COPY = "trust.chain.copy"  # in TRUST_FOLDER
RATCHETS_FILE = "ratchets.json"  # in TRUST_FOLDER
INSTALLED_MANIFEST = "installed.manifest"  # in TRUST_FOLDER
SECRETS_FOLDER = "secrets"
ADMIN_HASH = "admin.hash"
UNIT_KEY = "unit.key"
SEALED_SUFFIX = ".sealed"
INSECURE_STORAGE = "insecure.storage"
UPDATE_FOLDER = "update"
UPDATE_STATE = "state.json"  # in UPDATE_FOLDER
UPDATE_OFFER = "offer"  # in UPDATE_FOLDER
UPDATE_DECISION = "decision"  # in UPDATE_FOLDER
MENU_FOLDER = "gprov"  # on boot partitions of primary disks, too
RECOVERY_MENU = f"{MENU_FOLDER}/recovery.cfg"

# In the log folder.
HISTORY_FILE = "recovery_history.json"
BUDGET_FILE = "start_budget.json"
SHELL_ACCESS_FILE = "shell_access.json"
ERASE_FILE = "erase.json"
ERASE_RAID_FILE = "erase_raid.json"
ERASE_LEFT_FILE = "erase_left.json"
ERASE_REPORT = "erase_report.json"
CERTIFICATE_SUFFIX = ".certificate.json"
SAVED_NETWORK_FILE = "netd.tar"
# Also in the configuration folder on PRIMARY.
EMERGENCY_RECORD = "emergency_media.json"
# Suffix of what is kept for an analysis and no longer used.
DAMAGED = ".damaged"

# In the configuration folder on PRIMARY: ``Disk.path`` of the USB disk that RECOVERY is on, one line.
RECOVERY_PATH_FILE = "recovery_path"
