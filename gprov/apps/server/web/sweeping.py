"""What the server does by itself, again and again, beside its requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from gprov.apps.server.secrets.private_modes import keep_private
from gprov.apps.server.store.erasures import Erasures
from gprov.apps.server.store.retention import Retention
from gprov.apps.server.web.api import Services, log
from gprov.apps.server.web.erasure_api import write_certificates
from gprov.domain.errors import DeviceFault

SWEEP_SECONDS = 1.0
# Of the retention, in one round.
_STEPS = 20


@dataclass(frozen=True, slots=True)
class PrivateFolders:
    """The folder of QA documents and that of the store, which no other user may read."""

    documents: str
    store: str

    def restrict(self) -> None:
        """Raises DeviceFault."""
        for path in (*keep_private(self.documents, files=False), *keep_private(self.store, files=True)):
            log.warning("%s: could be read by other users; their rights were taken away", path)


class Sweeper:
    def __init__(self, services: Services, erasures: Erasures, retention: Retention, private: PrivateFolders) -> None:
        self._metrics = services.metrics
        self._retention = retention
        self._rounds: tuple[Callable[[], object], ...] = (
            services.store.sweep,
            services.bounds.sweep,
            services.write_released,
            lambda: write_certificates(erasures),
            private.restrict,
            services.key.scrub,
            self._forget,
        )

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            done = [await self._done(work) for work in self._rounds]
            if all(done):
                self._metrics.swept()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _done(self, work: Callable[[], object]) -> bool:
        try:
            await asyncio.to_thread(work)
        except DeviceFault as fault:
            log.warning("%s", fault)  # the next round tries again
            return False
        return True

    def _forget(self) -> None:
        for _ in range(_STEPS):
            if not self._retention.step():
                return
