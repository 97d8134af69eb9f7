"""The least that a device of the DDI API does, with requests: for tests of the servers themselves."""

from __future__ import annotations

from typing import Any

import requests

from tests.integ.update.ddi_messages import problems
from tests.integ.update.stand_in import TENANT

SECONDS = 30.0


class Device:
    """``url``: of the server or of a proxy in front of it. Replies are compared with the schema."""

    def __init__(self, url: str, name: str, authorization: str = "") -> None:
        self.name = name
        self.base = f"{url}/{TENANT}/controller/v1/{name}"
        self._headers = {"Authorization": authorization} if authorization else {}

    def poll(self) -> dict[str, str]:
        """Links by kind."""
        found = self.get("controllerBase", self.base)
        return {kind: str(link["href"]) for kind, link in found.get("_links", {}).items()}

    def register(self, **attributes: str) -> None:
        link = self.poll()["configData"]
        assert self.send("PUT", link, {"mode": "replace", "data": attributes}) == 200

    def get(self, message: str, url: str) -> Any:
        reply = requests.get(url, headers=self._headers, timeout=SECONDS)
        reply.raise_for_status()
        value = reply.json()
        assert problems(message, value) == []
        return value

    def send(self, method: str, url: str, message: Any) -> int:
        """Returns the status."""
        return requests.request(method, url, json=message, headers=self._headers, timeout=SECONDS).status_code

    def status(self, url: str) -> int:
        return requests.get(url, headers=self._headers, timeout=SECONDS).status_code

    def download(self, url: str, first: int = 0) -> requests.Response:
        """From byte ``first`` on."""
        headers = {**self._headers, **({"Range": f"bytes={first}-"} if first else {})}
        return requests.get(url, headers=headers, timeout=SECONDS)

    def feedback(self, url: str, execution: str, finished: str = "none", *details: str) -> int:
        """``url``: of the action, as in the link."""
        status = {"execution": execution, "result": {"finished": finished}, "details": list(details)}
        return self.send("POST", f"{url.partition('?')[0]}/feedback", {"status": status})


def artifacts(deployment: Any) -> dict[str, dict[str, Any]]:
    """By file name."""
    chunks = deployment["chunks"]
    return {artifact["filename"]: artifact for chunk in chunks for artifact in chunk["artifacts"]}


def link(artifact: Any) -> str:
    links = artifact["_links"]
    return str((links.get("download") or links["download-http"])["href"])
