"""Pages in Chromium, with what the browser has to say against them."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Scheme = Literal["light", "dark"]


class Window:
    """``complaints``: dialogs, errors of scripts, violations of the policy, replies that are no success."""

    def __init__(
        self,
        browser: Browser,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: Scheme = "light",
        scripts: bool = True,
        quiet: bool = False,
    ) -> None:
        size = {"width": width, "height": height}
        self._context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce" if quiet else "no-preference",
            timezone_id="Asia/Tokyo",
        )
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, url: str, status: int = 200) -> Page:
        reply = self.page.goto(url)
        assert reply is not None
        assert reply.status == status
        return self.page

    def close(self) -> None:
        self._context.close()


def words(page: Page) -> dict[str, str]:
    """By serial number, on a list of units."""
    rows = page.locator("table.units tbody tr[data-key]")
    return {row.locator("th").inner_text(): row.locator(".word").inner_text() for row in rows.all()}
