"""TLS of the real server, as curl and openssl see it; and what its own CA may certify, by openssl's judgement."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gprov.adapters.linux.net.factory import HttpFactory
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.net.server_trust import HttpTrust
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.cli.main import main
from gprov.apps.server.tls.authority import Issued, issue
from gprov.apps.server.tls.certificate_files import CertificatePaths, create_own_ca, own_paths, renew
from gprov.apps.server.tls.contexts import Certificates, CertificateWatch
from gprov.apps.server.tls.port_certificates import port_certificates
from gprov.domain.errors import BadInput, DeviceMissing, GprovError, NetworkFault, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.factory.server_settings import parse_settings
from gprov.domain.unit.trust import parse_ca
from tests.integ.server.test_server_process import GPROV, Server

DAY_NS = 86_400 * 10**9
NAMES = ("factory.example", "127.0.0.1", "10.1.0.1")


class EncryptedServer(Server):
    """``settings``: further lines of [tls] and other tables."""

    def __init__(self, data: Path, settings: str = 'boot = "https"\nboot_port = 0\n') -> None:
        super().__init__(data)
        (data / "server.toml").write_text(f'[tls]\nmode = "own-ca"\n{settings}')
        (data / "files").mkdir()
        (data / "files" / "provision.pxe").write_bytes(b"kernel")
        (data / "files" / "manufData.json").write_bytes(b"{}")
        create_own_ca(str(data), NAMES, time.time_ns())
        self.ca = data / "tls" / "ca.pem"
        self.boot_port = 0

    @property
    def encrypted_url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a CA and certificates, to copy: making keys takes a second."""
    folder = tmp_path_factory.mktemp("ca") / "data"
    create_own_ca(str(folder), NAMES, time.time_ns())
    return folder


@pytest.fixture
def data(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "own"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptedServer]:
    running = EncryptedServer(tmp_path_factory.mktemp("tls") / "data")
    with closing(running):
        running.start()
        assert running.announcement.startswith("gprov server: iPXE at https://127.0.0.1:")
        running.boot_port = running.port
        line = running.next_line()
        assert line.startswith("gprov server: listening on https://127.0.0.1:")
        running.port = int(line.rpartition(":")[2])
        yield running


def curl(ca: Path, url: str, *options: str) -> tuple[int, str]:
    """Exit status (60: the certificate is not valid) and output."""
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(ca), *options, url]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout or done.stderr


def s_client(server: EncryptedServer, *options: str, port: int = 0) -> str:
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port or server.port}", "-CAfile", str(server.ca), *options]
    return subprocess.run(words, check=False, input="", capture_output=True, text=True, timeout=30).stdout


def openssl(*words: str) -> str:
    done = subprocess.run(["openssl", *words], check=False, capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


def test_curl_with_the_ca_is_answered(server: EncryptedServer) -> None:
    status, text = curl(server.ca, f"{server.encrypted_url}/api/v1/time")
    assert status == 0
    assert abs(json.loads(text)["time_ns"] - time.time_ns()) < 60 * 10**9


def test_curl_with_another_ca_is_not(server: EncryptedServer, data: Path) -> None:
    status, text = curl(data / "tls" / "ca.pem", f"{server.encrypted_url}/api/v1/time")
    assert status == 60, text


def test_a_name_that_is_not_in_the_certificate(server: EncryptedServer) -> None:
    """localhost is a name that the CA might certify."""
    resolved = (
        "--resolve",
        f"localhost:{server.port}:127.0.0.1",
        "--resolve",
        f"factory.example:{server.port}:127.0.0.1",
    )
    assert curl(server.ca, f"https://localhost:{server.port}/api/v1/time", *resolved)[0] == 60
    assert curl(server.ca, f"https://factory.example:{server.port}/api/v1/time", *resolved)[0] == 0


def test_old_versions_and_weak_keys_are_refused(server: EncryptedServer) -> None:
    assert "Protocol  : TLSv1.2" in s_client(server, "-tls1_2")
    assert "New, TLSv1.3" in s_client(server)
    for options in (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1_2", "-cipher", "AES128-SHA256")):
        assert "Cipher is (NONE)" in s_client(server, *options)


def test_plain_http_at_the_encrypted_port_is_not_answered(server: EncryptedServer) -> None:
    assert curl(server.ca, f"http://127.0.0.1:{server.port}/api/v1/time")[0] in (52, 56)


def test_the_published_ca_has_the_fingerprint_of_the_argument(
    server: EncryptedServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, pem = curl(server.ca, f"{server.encrypted_url}/ca.pem")
    (tmp_path / "ca.pem").write_text(pem)
    shown = openssl("x509", "-in", str(tmp_path / "ca.pem"), "-noout", "-fingerprint", "-sha256")
    digest = shown.rpartition("=")[2].strip().replace(":", "").lower()
    assert main(["server", "certificate", "show", "--data", str(server.data), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["argument"] == f"mfgca=sha256:{digest}"
    assert facts["names"] == list(NAMES)
    assert 818 <= facts["days_left"] <= 820
    _, script = curl(server.ca, f"{server.encrypted_url}/boot.ipxe?mac=56:78:90:00:00:01")
    assert f"mfgurl={server.encrypted_url}/files/manufData.json mfgca=sha256:{digest} " in script


def test_the_port_for_ipxe(server: EncryptedServer) -> None:
    """The ciphers of Debian 12's iPXE; nothing but what iPXE needs."""
    url = f"https://127.0.0.1:{server.boot_port}"
    assert "Verify return code: 0 (ok)" in s_client(
        server, "-tls1_2", "-cipher", "AES128-SHA256", port=server.boot_port
    )
    assert curl(server.ca, f"{url}/files/provision.pxe")[1] == "kernel"
    _, script = curl(server.ca, f"{url}/boot.ipxe?mac=56:78:90:00:00:01")
    assert f"kernel {url}/files/provision.pxe mfgurl={server.encrypted_url}/files/manufData.json " in script
    for path in ("/files/manufData.json", "/api/v1/time", "/", "/files/../store/factory.sqlite", "/openapi.json"):
        assert curl(server.ca, f"{url}{path}", "--path-as-is", "--fail")[0] == 22, path
    assert curl(server.ca, f"{url}/boot.ipxe", "--fail", "--data", "x")[0] == 22


def test_a_unit_reports_and_gets_its_time(server: EncryptedServer) -> None:
    trust = HttpTrust()
    trust.use(parse_ca("ca", server.ca.read_bytes()), check_dates=True)
    clock = SystemClock()
    client = HttpFactory(RequestsHttp(clock, trust), clock, f"{server.encrypted_url}/", pause=0.01)
    assert abs(client.time_ns() - time.time_ns()) < 60 * 10**9
    client.state("TLS0001", ProcessState.MFG_STARTED)
    _, text = curl(server.ca, f"{server.encrypted_url}/api/v1/unit?serial=TLS0001")
    assert "MFG_STARTED" in text


def test_handshakes_that_stall_do_not_hold_the_server(server: EncryptedServer) -> None:
    stalled = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    try:
        stalled[0].sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        assert curl(server.ca, f"{server.encrypted_url}/api/v1/time")[0] == 0
    finally:
        for each in stalled:
            each.close()


def test_keys_belong_to_their_owner_alone(server: EncryptedServer) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data.rglob("*.key")}
    assert modes == {"ca.key": 0o600, "server.key": 0o600, "boot.key": 0o600}
    assert stat.S_IMODE((server.data / "ca").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("settings", "readable", "message"),
    [
        ('mode = "files"', "", "$.tls.certificate: is missing"),
        ('mode = "off"\nboot = "http"', "", "$.tls.boot: belongs to encrypted modes"),
        ('mode = "files"\ncertificate = "a.pem"\nkey = "open.key"', "open", "other users could use the key"),
        ('mode = "files"\ncertificate = "a.pem"\nkey = "b.key"', "", "certificate and key cannot be used"),
        ('mode = "files"\ncertificate = "a.pem"\nkey = "locked.key"', "", "the key has a passphrase"),
    ],
)  # fmt: skip
def test_what_no_server_starts_with(tmp_path: Path, settings: str, readable: str, message: str) -> None:
    for name in ("a", "b"):
        new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x")
        openssl(*new, "-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem"))
    (tmp_path / "open.key").write_bytes((tmp_path / "a.key").read_bytes())
    locked = ("-aes256", "-passout", "pass:word", "-out", str(tmp_path / "locked.key"))
    openssl("ec", "-in", str(tmp_path / "a.key"), *locked)
    for path in tmp_path.glob("*.key"):
        path.chmod(0o644 if path.stem == readable else 0o600)
    with pytest.raises(GprovError) as caught:
        port_certificates(str(tmp_path), parse_settings("server.toml", f"[tls]\n{settings}\n".encode()).tls)
    assert message in "\n".join((str(caught.value), *caught.value.details()))


def test_a_server_without_its_certificates_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('[tls]\nmode = "own-ca"\n')
    words = [GPROV, "server", "--data", str(tmp_path), "--key-file", f"{tmp_path}.key", "--isolated"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "gprov server certificate create --data DIR` makes a CA and certificates" in done.stderr
    assert "Traceback" not in done.stderr


def test_given_certificates_are_used(data: Path, tmp_path: Path) -> None:
    running = Server(tmp_path / "data")
    paths = own_paths(str(data))
    lines = (f'certificate = "{paths.certificate}"', f'key = "{paths.key}"', 'ca = "../own/tls/ca.pem"')
    (running.data / "server.toml").write_text("\n".join(('[tls]\nmode = "files"', *lines)))
    with closing(running):
        running.start()
        assert curl(Path(paths.ca), f"https://127.0.0.1:{running.port}/ca.pem")[1] == Path(paths.ca).read_text()
        assert running.end() == 0


def test_the_ca_certifies_only_names_of_its_factory(data: Path) -> None:
    """A thief of its key cannot show a certificate for another site to a person who trusts it."""
    ca, key = data / "tls" / "ca.pem", data / "ca" / "ca.key"
    assert "OK" in openssl("verify", "-CAfile", str(ca), str(data / "tls" / "server.pem"))
    extensions = data / "extensions"
    for name, verdict in (
        ("DNS:bank.example", "permitted subtree violation"),
        ("IP:8.8.8.8", "permitted subtree violation"),
        ("DNS:line.factory.example", "OK"),
        ("IP:192.168.7.7", "OK"),
    ):
        extensions.write_text(f"subjectAltName={name}\n")
        new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=some server")
        openssl(*new, "-keyout", str(data / "k"), "-out", str(data / "r"))
        signed = ("x509", "-req", "-in", str(data / "r"), "-CA", str(ca), "-CAkey", str(key), "-days", "9")
        openssl(*signed, "-extfile", str(extensions), "-out", str(data / "c"))
        assert verdict in openssl("verify", "-CAfile", str(ca), str(data / "c")), name


def test_no_second_ca_below_the_first(data: Path) -> None:
    text = openssl("x509", "-in", str(data / "tls" / "ca.pem"), "-noout", "-text")
    assert "CA:TRUE, pathlen:0" in text
    assert "Certificate Sign, CRL Sign" in text


def test_another_ca_is_not_made_over_the_first(data: Path) -> None:
    before = (data / "tls" / "ca.pem").read_bytes()
    with pytest.raises(RefusedByPolicy, match="would make every unit refuse this server"):
        create_own_ca(str(data), NAMES, time.time_ns())
    assert (data / "tls" / "ca.pem").read_bytes() == before


def test_renewal_from_what_is_left_of_a_lost_host(data: Path) -> None:
    for name in ("server.pem", "server.key", "boot.pem", "boot.key"):
        (data / "tls" / name).unlink()
    with pytest.raises(DeviceMissing, match="give them with --name"):
        renew(str(data), None, time.time_ns())
    assert renew(str(data), ("10.1.0.1",), time.time_ns()).names == ("10.1.0.1",)
    (data / "tls" / "ca.pem").unlink()
    with pytest.raises(DeviceMissing, match=r"factory_ca\.pem on RECOVERY"):
        renew(str(data), ("10.1.0.1",), time.time_ns())


def test_renewal_for_a_name_that_the_ca_was_not_made_for(data: Path) -> None:
    with pytest.raises(BadInput, match="the CA was not made for this name"):
        renew(str(data), ("other.example",), time.time_ns())
    assert renew(str(data), ("192.168.1.1",), time.time_ns()).names == ("192.168.1.1",)


def test_a_ca_key_that_is_kept_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, key = tmp_path / "data", tmp_path / "stick" / "ca.key"
    words = ["--data", str(data), "--ca-key", str(key), "--name", "10.1.0.1"]
    assert main(["server", "certificate", "create", *words]) == 0
    assert not (data / "ca").exists()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert main(["server", "certificate", "renew", "--data", str(data)]) == 3
    assert main(["server", "certificate", "renew", *words]) == 0
    assert "mfgca=sha256:" in capsys.readouterr().out


def serial_shown(certificates: Certificates, ca: bytes, *, check_dates: bool = True) -> int:
    """Serial number of the certificate that a client sees; no network. Raises SSLError."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=ca.decode())
    if not check_dates:
        client.verify_flags |= ssl.VerifyFlags(0x200000)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_side = certificates.context.wrap_bio(there, back, server_side=True)
    client_side = client.wrap_bio(back, there, server_hostname="127.0.0.1")
    for _ in range(4):
        for side in (client_side, server_side):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = client_side.getpeercert()
    assert shown is not None
    return int(str(shown["serialNumber"]), 16)


def test_a_renewed_certificate_is_taken_up_without_a_restart(data: Path) -> None:
    paths = own_paths(str(data))
    ca = Path(paths.ca).read_bytes()
    certificates, said = Certificates(paths), list[str]()
    watch = CertificateWatch([certificates], time.time_ns, said.append)
    first = serial_shown(certificates, ca)
    watch.check()
    assert serial_shown(certificates, ca) == first
    renew(str(data), None, time.time_ns())
    watch.check()
    assert serial_shown(certificates, ca) != first
    assert said == []


def test_a_broken_renewal_leaves_the_old_certificate_in_use(data: Path) -> None:
    paths = own_paths(str(data))
    ca, whole = Path(paths.ca).read_bytes(), Path(paths.certificate).read_bytes()
    certificates, said = Certificates(paths), list[str]()
    watch = CertificateWatch([certificates], time.time_ns, said.append)
    first = serial_shown(certificates, ca)
    Path(paths.certificate).write_bytes(whole[:300])
    watch.check()
    assert "new certificates are not used" in said[-1]
    assert serial_shown(certificates, ca) == first


def test_the_end_of_a_certificate_is_announced_once_a_day(tmp_path: Path) -> None:
    begin = time.time_ns()
    create_own_ca(str(tmp_path), NAMES, begin)
    now, said = [begin], list[str]()
    watch = CertificateWatch([Certificates(own_paths(str(tmp_path)))], lambda: now[0], said.append)
    for day, lines in ((0, 0), (785, 0), (791, 1), (791, 1), (792, 2), (821, 3)):
        now[0] = begin + day * DAY_NS
        watch.check()
        assert len(said) == lines, day
    assert "expires in 29 days" in said[0]
    assert "has expired: units refuse this server; run `gprov server certificate renew --data DIR`" in said[-1]


def test_an_expired_certificate(tmp_path: Path) -> None:
    """A unit without a clock is still answered; a unit that knows the time, and curl, are not."""
    old = time.time_ns() - 830 * DAY_NS
    create_own_ca(str(tmp_path), NAMES, old)
    paths = own_paths(str(tmp_path))
    ca, certificates = Path(paths.ca).read_bytes(), Certificates(paths)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        serial_shown(certificates, ca)
    assert serial_shown(certificates, ca, check_dates=False)


def test_a_certificate_for_ipxe_allows_key_encipherment(data: Path) -> None:
    text = openssl("x509", "-in", str(data / "tls" / "boot.pem"), "-noout", "-text")
    assert "Digital Signature, Key Encipherment" in text
    assert "rsaEncryption" in text
    assert "TLS Web Server Authentication" in text
    assert "Public Key Algorithm: id-ecPublicKey" in openssl(
        "x509", "-in", str(data / "tls" / "server.pem"), "-noout", "-text"
    )


def test_the_ca_does_not_sign_with_the_key_of_another(data: Path) -> None:
    mixed = Issued((data / "tls" / "ca.pem").read_bytes(), (data / "tls" / "boot.key").read_bytes())
    with pytest.raises(BadInput, match="does not belong to the CA's certificate"):
        issue(mixed, NAMES, datetime.now(UTC))


def test_a_ca_key_that_others_can_read_is_refused(data: Path) -> None:
    (data / "ca" / "ca.key").chmod(0o640)
    with pytest.raises(RefusedByPolicy, match="mode 0640"):
        renew(str(data), None, time.time_ns())


def test_a_unit_refuses_a_server_by_another_name(server: EncryptedServer) -> None:
    trust = HttpTrust()
    trust.use(parse_ca("ca", server.ca.read_bytes()), check_dates=True)
    http = RequestsHttp(SystemClock(), trust)
    assert http.request("GET", f"{server.encrypted_url}/ca.pem").status == 200
    with pytest.raises(NetworkFault, match="its certificate is not valid: Hostname mismatch"):
        http.request("GET", f"https://localhost:{server.port}/ca.pem")


def test_paths_of_a_server_without_a_published_ca(data: Path) -> None:
    own = own_paths(str(data))
    assert Certificates(CertificatePaths(own.certificate, own.key, "")).ca_pem is None


def test_the_state_of_the_server_says_when_its_certificate_ends(data: Path) -> None:
    certificates = port_certificates(str(data), parse_settings("server.toml", b'[tls]\nmode = "own-ca"\n').tls)
    now = time.time_ns()
    assert certificates.warnings(now) == ()
    (warning,) = certificates.warnings(now + 800 * DAY_NS)
    assert "expires in 19 days" in warning


def test_health_has_warnings(server: EncryptedServer) -> None:
    _, text = curl(server.ca, f"{server.encrypted_url}/health")
    assert json.loads(text)["warnings"] == []
