"""The update server gooseBit as a process, from its own virtual environment.

What it does otherwise than hawkBit: one artifact for each version, which must be a .swu or .raucb file; the id of an
action is that of the software; an answer that comes twice is taken twice; it neither cancels nor asks for confirmation;
only SHA-1 of an artifact is known.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from gprov.apps.host.initramfs.cache import content_key, default_root
from tests.integ.update.stand_in import until

TENANT = "DEFAULT"
USER, PASSWORD = "owner", "a password of tests"
SECONDS = 60.0
_EMPTY = "empty.sqlite3"  # a database without content
LOCK_FILE = Path(__file__).parents[3] / "requirements/goosebit.txt"


def environment() -> Path:
    """The folder of the virtual environment, made at the first use. It stays in the cache, by the lock file's content
    and the version of Python."""
    root = Path(default_root(os.environ)) / "goosebit"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / content_key(LOCK_FILE.read_bytes(), sys.version)
    with open(root / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _EMPTY).exists():
            for earlier in root.glob("*/"):
                shutil.rmtree(earlier)
            venv.create(folder, with_pip=True)
            pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
            subprocess.run([*pip, "--only-binary", ":all:", "-r", str(LOCK_FILE)], check=True)
            _make_database(folder)
    return folder


def _make_database(folder: Path) -> None:
    """An empty one with all tables, which takes seconds to make. It is complete when it has its name."""
    [package] = folder.glob("lib/python*/site-packages/goosebit")
    settings = {"tortoise_orm": "goosebit.db.config.TORTOISE_CONF", "location": str(package / "db/migrations")}
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (folder / "pyproject.toml").write_text("\n".join(["[tool.aerich]", *lines, 'src_folder = "."', ""]))
    made = folder / "new.sqlite3"
    variables = {"PATH": "/usr/bin:/bin", "GOOSEBIT_DB_URI": f"sqlite://{made}"}
    words = [str(folder / "bin/aerich"), "upgrade"]
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made.rename(folder / _EMPTY)


class GooseBit:
    """A server with its database and files in ``folder``. ``kill`` and ``start`` again are a crash: the port stays.
    ``poll``: HH:MM:SS, what it tells devices to wait."""

    def __init__(self, folder: Path, *, poll: str = "00:00:01") -> None:
        self.folder = folder
        self._environment = environment()
        self.port = _free_port()
        self._variables = {
            "PATH": "/usr/bin:/bin",
            "GOOSEBIT_DB_URI": f"sqlite://{folder}/goosebit.sqlite3",
            "GOOSEBIT_ARTIFACTS_DIR": str(folder / "artifacts"),
            "GOOSEBIT_SECRET_KEY": "a key of tests, of no use elsewhere",
            "GOOSEBIT_POLL_TIME": poll,
            "GOOSEBIT_TENANT": TENANT,
            "GOOSEBIT_PORT": str(self.port),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""
        folder.mkdir(exist_ok=True)
        shutil.copyfile(self._environment / _EMPTY, folder / "goosebit.sqlite3")

    def require_tokens(self) -> None:
        """Before ``start``: only devices that ``add_device`` made, with their token, are served."""
        self._variables["GOOSEBIT_DEVICE_AUTH"] = json.dumps({"enable": True, "mode": "strict"})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_text(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        program = [str(self._environment / "bin/python"), "-m", "uvicorn", "goosebit:app", "--port", str(self.port)]
        words = ["setpriv", "--pdeathsig", "KILL", "--", *program, "--host", "127.0.0.1"]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder, env=self._variables)
        until(self._listens, SECONDS)
        form = {"username": USER, "password": PASSWORD}
        if not self._token:
            self._token = _checked(requests.post(f"{self.url}/setup", form, timeout=SECONDS))["access_token"]

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(SECONDS)
            self._process = None

    def upload(self, bundle: Path) -> int:
        """Returns the id of the software. Raises requests.HTTPError for a file that it does not take."""
        with bundle.open("rb") as file:
            return int(self._ask("PUT", "software", files={"file": (bundle.name, file)})["id"])

    def software(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "software")["software"]
        return found

    def roll_out(self, software: int, feed: str = "default") -> int:
        """Offer it to all devices of the feed whose hardware fits. Returns the id of the rollout."""
        return int(self._ask("PUT", "rollouts", json={"name": "test", "feed": feed, "software_id": software})["id"])

    def rollout(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self._ask("GET", "rollouts")["rollouts"] if each["id"] == number)
        return found

    def pause(self, rollout: int, *, paused: bool = True) -> None:
        self._ask("PATCH", "rollouts", json={"ids": [rollout], "paused": paused})

    def add_device(self, device: str, token: str) -> None:
        """``token``: at most 32 characters."""
        self._ask("PUT", "devices", json={"devices": [device], "auth_token": token})

    def set_feed(self, device: str, feed: str) -> None:
        self._ask("PATCH", "devices", json={"devices": [device], "feed": feed})

    def assign(self, device: str, software: int) -> None:
        """To a device that has sent its attributes; before that no bundle fits its hardware."""
        self._ask("PATCH", "devices", json={"devices": [device], "software": str(software)})

    def force(self, device: str) -> None:
        """Offer the update also to a device that reported a failure, or has this version."""
        self._ask("PATCH", "devices", json={"devices": [device], "force_update": True})

    def device(self, device: str) -> dict[str, Any]:
        """``last_state``: Unknown, Registered, Running, Error, Finished; ``sw_version``, ``hardware``, ``progress``."""
        found: dict[str, Any] = next(each for each in self._ask("GET", "devices")["devices"] if each["id"] == device)
        return found

    def device_log(self, device: str) -> str:
        return str(self._ask("GET", f"devices/{device}/log")["log"] or "")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        return _checked(
            requests.request(method, f"{self.url}/api/v1/{path}", headers=headers, timeout=SECONDS, **options)
        )

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log_text[-4000:]
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/login", timeout=SECONDS, allow_redirects=False).status_code > 0
        return False


def _checked(reply: requests.Response) -> Any:
    if not reply.ok:
        raise requests.HTTPError(f"{reply.status_code} {reply.text}", response=reply)
    return reply.json()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running_goosebit(folder: Path) -> Iterator[GooseBit]:
    server = GooseBit(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
