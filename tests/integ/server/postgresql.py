"""A PostgreSQL server of the tests: in a temporary folder, on a Unix socket, of an unprivileged user."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

SECONDS = 60.0
USER = "postgres"


class Cluster:
    """``durable``: it flushes its log to the disk at every commit, as it does by default."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._durable = durable
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        # initdb and postgres refuse to be root.
        self._owner = pwd.getpwnam(USER) if os.geteuid() == 0 else None
        if self._owner:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._run("initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--no-sync", "--no-locale")

    def start(self) -> None:
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=200"]
        settings += [] if self._durable else ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        words = [*self._as_user("postgres"), *(word for setting in settings for word in ("-c", setting))]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.folder)
        ready = [_program("pg_isready"), "-q", "-h", str(self.folder), "-t", "30"]
        for _ in range(600):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self._process.poll() is None, (self.folder / "log").read_text()
        raise AssertionError("PostgreSQL is not ready")

    def end(self, number: int = signal.SIGQUIT) -> None:
        """Without a checkpoint: as after a crash, unless ``number`` is another signal."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(SECONDS)
            self._process = None

    def new_database(self) -> str:
        """The URL of an empty one."""
        self._databases += 1
        name = f"factory{self._databases}"
        with closing(self.connect("postgres")) as db:
            db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql://{USER}@/{name}?host={quote(str(self.folder), safe='')}"

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user=USER, dbname=database, autocommit=True)

    def _run(self, *words: str) -> None:
        subprocess.run(self._as_user(*words), check=True, capture_output=True, cwd=self.folder, timeout=SECONDS)

    def _as_user(self, program: str, *words: str) -> list[str]:
        """The server ends with the tests, however they end."""
        user = ["--reuid", USER, "--regid", USER, "--clear-groups"] if self._owner else []
        command = [_program(program), "-D", str(self.folder / "data"), *words]
        return ["setpriv", *user, "--pdeathsig", "QUIT", "--", *command]


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    # The folders of pytest are closed to other users, and their paths are too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix=f"gprov-{getpass.getuser()}-pg-", dir="/tmp"))
    try:
        cluster = Cluster(folder, durable=durable)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.end()
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    """Debian keeps those of the server outside of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else name
