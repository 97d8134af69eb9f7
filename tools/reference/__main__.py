"""``python -m tools.reference``: writes the generated pages of docs/reference, and the schemas of docs/schemas."""

from __future__ import annotations

from tools.reference.pages import COMMITTED_PAGES, ROOT
from tools.schemas.registry import FILES

for path, make in COMMITTED_PAGES.items():
    (ROOT / "docs" / path).write_text(make())
folder = ROOT / "docs/schemas"
folder.mkdir(exist_ok=True)
for name, content in FILES.items():
    (folder / name).write_bytes(content)
for left in {path.name for path in folder.iterdir()} - FILES.keys():
    (folder / left).unlink()
