"""Asks web servers whether they have files of a manufData.json, with their sizes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from gprov.domain.errors import NetworkFault, Problem, RefusedByPolicy
from gprov.domain.mfg.files import RemoteFile
from gprov.ports.network import Http

_SECONDS = 20.0
# A server may refuse HEAD and serve the file (RFC 9110, section 9.3.2 only recommends it).
_NO_HEAD = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


def network_problems(http: Http, files: Iterable[RemoteFile]) -> Iterator[tuple[Problem, bool]]:
    """Each problem, and whether it is one: False for what cannot be checked. One request for each file."""
    for file in dict.fromkeys(files):
        found = _problem(http, file)
        if found is not None:
            message, certain = found
            yield Problem(file.describe(), message), certain


def _problem(http: Http, file: RemoteFile) -> tuple[str, bool] | None:
    try:
        reply = http.request("HEAD", file.url, seconds=_SECONDS)
    except NetworkFault as fault:
        return f"cannot be fetched: {fault.reason}", True
    except RefusedByPolicy as refusal:
        return f"cannot be checked: {refusal}", False
    if reply.status in _NO_HEAD:
        return f"cannot be checked: the server answers HEAD with status {reply.status}", False
    if reply.status != HTTPStatus.OK:
        return f"cannot be fetched: status {reply.status}", True
    if file.size is None:
        return None
    if reply.announced is None:
        return "has no Content-Length: Size cannot be checked", False
    if reply.announced != file.size:
        return f"has {reply.announced} bytes, and its Size is {file.size}", True
    return None
