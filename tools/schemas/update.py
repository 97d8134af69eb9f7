"""Schema of update.toml, the configuration of the agent for updates over the air."""

from __future__ import annotations

from gprov.domain.factory.fields import Schema
from gprov.domain.update.config import Confirmation, ForcedUpdates
from gprov.domain.update.state import Phase, Result
from tools.schemas.formats import Rule
from tools.schemas.parts import END, document, flag, has, items, may, need, record, text, when, word

_HTTP = "\\s*[Hh][Tt][Tt][Pp]"
_PLAIN = text(f"^[A-Za-z0-9._~-]{{1,256}}{END}")
_PATH = text(f"^(/.*)?{END}")
_DIGEST = "([Ss][Hh][Aa]256:)?([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}"
_FILLED = text("\\S")


def _not_both(one: str, other: str) -> Schema:
    return {"not": {"allOf": [has(one, _FILLED), has(other, _FILLED)]}}


UPDATE = document(
    "update.toml",
    "The server of a unit's updates, and what its owner allows; the file is TOML. docs/how-to/update-over-the-air.md",
    record(
        (
            need("server", text(f"^{_HTTP}[Ss]?://[^@?#]*$"), "URL of the update server"),
            may("tenant", _PLAIN, "tenant on the server; DEFAULT is the default"),
            may("controller_id", _PLAIN, "name of the unit on the server; serial, the default: its serial number"),
            may("target_token_file", _PATH, "file with the token of this unit"),
            may("gateway_token_file", _PATH, "file with the token of all units"),
            may("ca_file", _PATH, "PEM file with the CAs of the server; without it those of the system"),
            may(
                "server_sha256", text(f"^\\s*({_DIGEST})?\\s*$"), "SHA-256 of the server's certificate, in place of CAs"
            ),
            may("allow_http", flag(), "the connection need not be encrypted"),
            may("window", items(text()), 'when a restore may begin, like "Sat,Sun 02:00-04:00"; empty: at any time'),
            may("confirm", word(one.value for one in Confirmation), "who agrees to a restore"),
            may("forced", word(one.value for one in ForcedUpdates), "when a forced deployment is installed"),
            may("reboot", word(("yes", "no")), "the agent restarts the unit for a restore"),
            may(
                "attributes",
                {"type": "object", "additionalProperties": text(), "patternProperties": {"^_": {}}},
                "of the unit on the server, besides the agent's own",
            ),
        ),
        allOf=[
            _not_both("target_token_file", "gateway_token_file"),
            _not_both("ca_file", "server_sha256"),
            when(has("server", text(f"^{_HTTP}:")), has("allow_http", {"const": True})),
        ],
    )
    | {"additionalProperties": False},
)
STATUS = document(
    "Status of gprov-update",
    "What `gprov-update status --json` prints. docs/how-to/update-over-the-air.md",
    record(
        (
            need("server", text(), "URL in the configuration"),
            need("running", text(), "file name of the image of the running system; empty: not known"),
            need("window", text(), "when a restore may begin"),
            need("confirm", word(one.value for one in Confirmation), "who agrees to a restore"),
            need("requested", text(), "image that the next start is asked to restore; empty: none"),
            need("asked", text(), "action that the server wants the owner's confirmation of; empty: none"),
            need("action", text(), "that the unit works on, or has ended last; empty: none yet"),
            need("phase", word(("", *(one.value for one in Phase))), "of the action"),
            need("image", text(), "file name of its image; empty: not known yet"),
            need("previous", text(), "image whose system ran when it began"),
            need("result", word(("", *(one.value for one in Result))), "how it ended; empty: it has not"),
            need("details", items(text()), "what the server is told of the end"),
            need("answered", flag(), "the server has taken the answer, or does not want it"),
        )
    ),
)
BEYOND = (
    Rule("server has a valid host and port, and no unescaped characters (RFC 3986)", r"server: (is not a URL|has )"),
    Rule("paths have no unprintable characters", r"_file: must be an absolute path"),
    Rule("paths are not below /root, /home or /run/user", r"_file: is below /"),
    Rule("window has days of the week and times of the day", r"window\[\d+\]: (?!must be whole text)"),
)
