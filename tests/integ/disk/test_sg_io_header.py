"""The SG_IO header against the one of the kernel's and the C library's header files."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

from gprov.adapters.linux.ioctl.sg_io import SG_IO, SgIoHeader

Tool = Callable[..., str]


def test_the_header_has_the_layout_of_the_header_file(tool: Tool, tmp_path: Path) -> None:
    fields = [field[0] for field in SgIoHeader._fields_]
    lines = [
        f'printf("{name} %zu %zu\\n", offsetof(struct sg_io_hdr, {name}), sizeof(((struct sg_io_hdr *)0)->{name}));'
        for name in fields
    ]
    source = tmp_path / "layout.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n#include <scsi/sg.h>\nint main(void) {\n"
        + "\n".join(lines)
        + '\nprintf("all %zu %d %d %d %d\\n", sizeof(struct sg_io_hdr), SG_IO, SG_DXFER_NONE, SG_DXFER_TO_DEV,'
        + " SG_DXFER_FROM_DEV);\nreturn 0; }\n"
    )
    program = tmp_path / "layout"
    tool("gcc", "-o", str(program), str(source))
    *found, last = tool(str(program)).splitlines()
    ours = [f"{name} {getattr(SgIoHeader, name).offset} {getattr(SgIoHeader, name).size}" for name in fields]
    assert found == ours
    assert last == f"all {ctypes.sizeof(SgIoHeader)} {SG_IO} -1 -2 -3"
