"""``etc/provisioning/imgmeta.json``: what the build that made an image said about it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.image.name import ImageName

# Key of the file → field.
FIELDS = {
    "BinVer": "bin_ver",
    "BinTime": "bin_time",
    "ImportJob": "import_job",
    "ImgJob": "img_job",
    "ImgName": "img_name",
    "Stream": "stream",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMeta:
    """All fields are optional text. ``bin_time`` is YYMMDDhhmm, UTC."""

    bin_ver: str = ""
    bin_time: str = ""
    import_job: str = ""
    img_job: str = ""
    img_name: str = ""
    stream: str = ""

    def mismatch(self, name: ImageName) -> str:
        """How the metadata disagrees with the file's name; empty if it does not. Never a reason to refuse an image."""
        if not self.img_name or self.img_name in (name.filename, name.stem):
            return ""
        return f"{name.filename} calls itself {self.img_name} in its metadata"


def parse_imgmeta(source: str, data: bytes) -> ImageMeta:
    """``what``: the image, for messages. Raises BadInput."""
    root = read_object(f"metadata of {source}", data)
    meta = ImageMeta(**{field: root.text(key) for key, field in FIELDS.items()})
    if meta.bin_time and not _is_time(meta.bin_time):
        root.problem("BinTime", f"must be YYMMDDhhmm, is {meta.bin_time[:40]!r}")
    return finish(f"metadata of {source}", root, meta)


def serialise_imgmeta(meta: ImageMeta) -> bytes:
    """Inverse of ``parse_imgmeta``; empty fields are left out."""
    values = asdict(meta)
    return (json.dumps({key: values[field] for key, field in FIELDS.items() if values[field]}) + "\n").encode("ascii")


def _is_time(text: str) -> bool:
    if not (len(text) == 10 and text.isascii() and text.isdigit()):
        return False
    try:
        # A check of the calendar only; no instant is made of it.
        datetime.strptime(text + "+0000", "%y%m%d%H%M%z")
    except ValueError:
        return False
    return True
