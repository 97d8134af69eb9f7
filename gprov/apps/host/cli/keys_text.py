"""How trust statements are shown to a person and as JSON."""

from __future__ import annotations

from gprov.domain.trust.statement import Statement


def statement_lines(statement: Statement) -> list[str]:
    lines = [f"version {statement.version}"]
    lines += [f"  root    {key.key_id}" for key in statement.roots]
    lines += [f"  signer  {key.key_id}" for key in statement.signers]
    for one in statement.revoked:
        kept = f", keeps {len(one.keep)} of its manifests" if one.keep else ""
        lines.append(f"  revoked {one.key.key_id}{kept}")
        lines += [f"          keep {digest}" for digest in one.keep]
    return lines


def statement_document(statement: Statement) -> dict[str, object]:
    return {
        "version": statement.version,
        "roots": [key.key_id for key in statement.roots],
        "signers": [key.key_id for key in statement.signers],
        "revoked": [{"key": one.key.key_id, "keep": list(one.keep)} for one in statement.revoked],
    }
