"""The factory server as a process that is killed and started again on the same port."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

SECONDS = 60.0


class ServerProcess:
    """``options``: of ``gprov server run``."""

    def __init__(self, folder: Path, database_url: str, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "server.toml"
        settings.write_text(f'[store]\ndatabase = "{database_url}"\n')
        settings.chmod(0o600)

    async def start(self) -> None:
        """Return when it listens."""
        program = "from gprov.apps.host.cli.main import main; raise SystemExit(main())"
        where = [
            "--isolated",
            "--data",
            str(self._folder),
            "--key-file",
            f"{self._folder}.key",
            "--port",
            str(self.port),
        ]
        with open(f"{self._folder}.log", "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", program, "server", "run", "--isolated", *where, *self._options),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), SECONDS)
        assert line, Path(f"{self._folder}.log").read_text()
        self.port = int(line.decode().rstrip().rpartition(":")[2])

    async def end(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            await self._process.wait()
            self._process = None

    async def killed(self, times: int, every: float) -> None:
        """Kill it again and again, and start it at once."""
        for _ in range(times):
            await asyncio.sleep(every)
            await self.end()
            await self.start()

    def cpu_seconds(self) -> float:
        """Of the present process."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100
