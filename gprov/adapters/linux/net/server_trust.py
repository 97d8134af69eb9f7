"""Which HTTPS servers are trusted: the TrustStore port on Python's ssl.

A server's certificate is verified with one CA, or with certifi's bundle. OpenSSL can omit the check of dates
(X509_V_FLAG_NO_CHECK_TIME): units without a battery start with a clock that is years late.
"""

from __future__ import annotations

import ssl

from typing_extensions import override

from gprov.adapters.linux.net.call_timeout import CallTimedOut, call_with_timeout
from gprov.adapters.linux.net.transport import TransferInterrupted, exchange
from gprov.domain.errors import BadInput, NetworkFault, Problem, RefusedByPolicy
from gprov.domain.mfg.urls import redacted, url_problem
from gprov.domain.unit.trust import ARGUMENT, MAX_CA_BYTES, OwnCa, ServerTrust, is_encrypted
from gprov.ports.network import TrustStore

# openssl/x509_vfy.h; the ssl module has no name for it.
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
_SECONDS = 20.0


class HttpTrust(TrustStore):
    """Trusts no server until ``use``."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    @override
    def use(self, trust: ServerTrust, *, check_dates: bool) -> None:
        context = _new_context()
        if isinstance(trust, OwnCa):
            try:
                context.load_verify_locations(cadata=trust.der)
            except ssl.SSLError as exc:
                raise BadInput("CA certificate", [Problem("", f"is not X.509: {exc.reason or exc}")]) from exc
            if not check_dates:
                context.verify_flags |= _NO_CHECK_TIME
        else:
            from certifi import where

            context.load_verify_locations(cafile=where())
        self._context = context

    @override
    def fetch_ca(self, url: str) -> bytes:
        problem = url_problem(url)
        if problem:
            raise NetworkFault(redacted(url), problem)
        unverified = _new_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE

        def whole() -> bytes:
            with exchange("GET", url, {}, seconds=_SECONDS, tls=lambda _: unverified) as answer:
                if answer.status != 200:
                    raise NetworkFault(redacted(url), f"no CA certificate there: answered {answer.described()}")
                body = bytearray()
                for block in answer.blocks():
                    body += block
                    if len(body) > MAX_CA_BYTES:
                        raise NetworkFault(redacted(url), f"its CA certificate is longer than {MAX_CA_BYTES} bytes")
                return bytes(body)

        try:
            return call_with_timeout(_SECONDS, whole, lambda _: None)
        except CallTimedOut as exc:
            raise NetworkFault(redacted(url), f"no whole answer within {_SECONDS:g} s") from exc
        except TransferInterrupted as exc:
            raise NetworkFault(redacted(url), str(exc)) from exc

    def context_for(self, url: str) -> ssl.SSLContext | None:
        """For a connection to this URL; None if it is not https, or if http leads to https. Raises RefusedByPolicy."""
        if self._context is None and is_encrypted(url):
            how = f"give the kernel argument {ARGUMENT}, or build the kernel with --ca"
            raise RefusedByPolicy(f"{redacted(url)}: no CA is known with which to verify this server; {how}")
        return self._context


def _new_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
