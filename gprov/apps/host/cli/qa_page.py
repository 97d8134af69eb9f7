"""``gprov manuf qa-page``: checks a template of the QA document, and shows what comes of it."""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli.output import say
from gprov.apps.host.cli.qa_sample import RECORD
from gprov.apps.host.cli.userfile import read_user_file
from gprov.apps.host.initramfs.hostfiles import write_file
from gprov.domain.errors import BadInput, ExitCode
from gprov.domain.mfg.qa.document import qa_document
from gprov.domain.mfg.qa.page import standard_template
from gprov.domain.mfg.qa.template import parse_template


def qa_page(
    output: Annotated[str, typer.Argument(metavar="PAGE", help="HTML file; written whole or not at all")],
    template: Annotated[
        str | None, typer.Option(metavar="FILE", help="template of the QA document; default: the standard one")
    ] = None,
) -> int:
    """Check a template of the QA document and write the page of an example unit. Exit status 1 if the template has
    problems."""
    try:
        used = parse_template(template, read_user_file(template)) if template is not None else standard_template()
    except BadInput as error:
        for problem in error.problems:
            say(str(problem))
        say(f"{error.what}: {len(error.problems)} problem(s)", err=True, colour="red")
        return ExitCode.NEGATIVE
    page = qa_document(RECORD, used)
    write_file(output, page.encode())
    say(f"{output}: {len(page)} characters")
    return ExitCode.DONE
