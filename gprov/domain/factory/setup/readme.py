"""README.md of a new data folder: what is in it, and what is to be done next."""

from __future__ import annotations

from gprov.domain.factory.setup.plan import FactoryPlan
from gprov.domain.factory.setup.unit_file import UNIT_NAME, USER

_TEXT = """\
# Factory folder of gprov

Made by `gprov server init` for {server}, with machines on interface {interface}.

| path | content |
|---|---|
| server.toml | settings of the server |
| files/ | what the server publishes at {files_url}/ |
| files/manufData.json | what units get, and what they must be made of |
| appliance.json | your platforms, for building kernels |
| tftp/ | iPXE's programs |
| dnsmasq.conf | DHCP and TFTP for the machines |
| {unit} | service for systemd |
| store/, documents/, certificates/ | made by the server; see docs/reference/server.md |
{certificates}
The key that encrypts passwords is {key_file}. Keep a copy of it, apart from this folder and its backups.
{key_option}{people}
## Next steps

1. Fill in what `gprov server check --data {folder}{key}` reports, until it finds no problem:
   - appliance.json: your platforms, then build both kernels with it (docs/how-to/platforms.md,
     docs/how-to/build.md);
   - files/: the image, {kernel} and {provision_kernel};
   - files/manufData.json: these files and the hardware of your platforms. `gprov manuf entry --url
     {files_url} FILE` prints the entry of a file.
{accounts}2. Give the folder to the user that runs the server, as root:

       useradd --system --home-dir {folder} --shell /usr/sbin/nologin {user}
       chown -R {user}: {folder}
{chown}
   The Debian package of gprov has made the user {packaged_user}.
3. Start the server and DHCP, as root:

       cp {folder}/{unit} /etc/systemd/system/
       systemctl enable --now {unit}
       cp {folder}/dnsmasq.conf /etc/dnsmasq.d/gprov.conf
       systemctl restart dnsmasq

4. Start a machine from the network. {server} shows it.
"""
_CERTIFICATES = """\
| tls/ | certificates of the server, and of its CA: tls/ca.pem, for browsers and kernels (docs/how-to/tls.md) |
| ca/ca.key | key of the CA, unless it was put elsewhere: keep a copy, and keep it from others |
"""
_FIRST = """\
   Make the first account: `gprov server account add NAME --role manage --data {folder}{key}`.
"""
_KEY_OPTION = """\
The commands of `gprov server` that have the option --key-file need `--key-file {key_file}`.
"""
_CA_OF_ROOT = """\
       chown -R root: {folder}/ca

   The last one only if the key of the CA is there. The server does not need it.
"""
_ACCOUNTS = """
People sign in, and units show one-time tokens, which they get in their iPXE script
(docs/explanation/server-access.md).
"""
_ISOLATED = """
The network is isolated: no accounts and no tokens. docs/explanation/server-access.md says what that means.
"""


def readme(plan: FactoryPlan) -> bytes:
    key = "" if plan.usual_key else f" --key-file {plan.key_file}"
    return _TEXT.format(
        server=plan.server,
        interface=plan.netboot.interface,
        files_url=plan.files_url,
        key_file=plan.key_file,
        key_option=_KEY_OPTION.format(key_file=plan.key_file) if key else "",
        folder=plan.folder,
        key=key,
        user=plan.user,
        packaged_user=USER,
        unit=UNIT_NAME,
        certificates=_CERTIFICATES if plan.encrypted else "",
        accounts="" if plan.isolated else _FIRST.format(folder=plan.folder, key=key),
        chown=_CA_OF_ROOT.format(folder=plan.folder) if plan.encrypted else "",
        people=_ISOLATED if plan.isolated else _ACCOUNTS,
        kernel=plan.branding.boot_kernel,
        provision_kernel=plan.branding.provision_kernel,
    ).encode()
