"""Files for units: images, kernels, manufData.json. With Range, ETag and HEAD."""

from __future__ import annotations

import os
from typing import ClassVar

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from gprov.apps.server.pages.headers import FILE_HEADERS

# Bytes read at a time: each read is a trip to a worker thread.
_SMALLEST_CHUNK, _LARGEST_CHUNK = 64 << 10, 1 << 20
# Of all downloads together. Each has a chunk that is being sent, and reads the next one meanwhile.
_CHUNKS = 32 << 20


class _LargeFile(FileResponse):
    _in_progress: ClassVar[int] = 0

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _LargeFile._in_progress += 1
        self.chunk_size = max(_SMALLEST_CHUNK, min(_LARGEST_CHUNK, _CHUNKS // _LargeFile._in_progress))
        try:
            await super().__call__(scope, receive, send)
        finally:
            _LargeFile._in_progress -= 1


class PublishedFiles(StaticFiles):
    """Regular files of a folder, without listings. The real path of a file must be below the folder: a symbolic link
    that leads outside is not served."""

    def __init__(self, folder: str) -> None:
        super().__init__(directory=folder, follow_symlink=False)

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        ranges = Headers(scope=scope).get("range", "")
        if "," in ranges:  # a part for each costs more than the file; no client of this server needs several at once
            raise HTTPException(416, "one range at a time")
        try:
            return await super().get_response(path, scope)
        except HTTPException as exc:
            if exc.status_code == 401:  # Starlette's status for a file that the server has no permission to read
                raise HTTPException(403) from exc
            raise

    @override
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        ours = _LargeFile(full_path, status_code=status_code, headers=FILE_HEADERS, stat_result=stat_result)
        usual = super().file_response(full_path, stat_result, scope, status_code)
        return usual if isinstance(usual, NotModifiedResponse) else ours
