"""Headers of replies that browsers show."""

from __future__ import annotations

# No inline script or style, no frame, no address but our own.
CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
))  # fmt: skip

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

PAGE_HEADERS = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store", **_ALWAYS}

# Files for units: a browser may show one, in no case with the rights of our pages.
FILE_HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", **_ALWAYS}

# Data and texts that come from units: shown as text or saved, with no more rights.
DATA_HEADERS = {"Cache-Control": "no-store", **FILE_HEADERS}

# Style sheet and scripts. Their addresses hold their digest.
ASSET_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "public, max-age=31536000, immutable",
    **_ALWAYS,
}
