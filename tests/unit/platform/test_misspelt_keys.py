"""A misspelt key is named beside the key that is missing because of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.domain.errors import BadInput
from gprov.domain.platform.table import parse_platform_table

TABLE = (Path(__file__).parents[3] / "tests/integ/docs/gateway.json").read_text()


def test_the_key_that_is_meant_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        parse_platform_table("appliance.json", TABLE.replace("NumDataDisks", "NumDataDisk").encode())
    missing, ignored = caught.value.problems
    assert (missing.place, missing.message) == ("$.Variants[0].NumDataDisks", "is missing")
    assert ignored.place == "$.Variants[0].NumDataDisk"
    assert ignored.message.endswith("is NumDataDisks meant?")


def test_an_unknown_key_alone_is_no_problem() -> None:
    [platform] = parse_platform_table("appliance.json", TABLE.replace('"Lcd"', '"Colour": "red", "Lcd"').encode())
    assert platform.code_name == "ACME-gateway"
