"""Platform table and names of an adopter on the command line of ``gprov build``: refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.own_names import OwnNames
from gprov.apps.host.initramfs.spec import Flavor, parse_spec
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--platforms", '{"Variants": [{"DevCodeName": "X"}]}', "$.Variants[0].DmiMbMfg"),
        ("--branding", '{"image_prefx": "ACME."}', "is not a branding key"),
    ],
)
def test_files_with_problems(
    tmp_path: Path, option: str, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.json"
    path.write_text(content)
    words = ["build", "initramfs", "--flavor", "normal", "--output", str(tmp_path / "out"), option, str(path)]
    assert main(words) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_specification_with_a_start_module_of_its_own() -> None:
    text = (ROOT / "buildroot/initramfs.toml").read_text().replace("gprov.apps.init.main:main", "acme.start:main")
    spec = parse_spec(text, Flavor.NORMAL)
    own = OwnNames(Branding(image_prefix="ACME."))
    with pytest.raises(BadInput, match=r"acme\.start:main decides names and platforms"), own.started(spec, "x", ()):
        pass


def test_the_usual_names_change_nothing() -> None:
    spec = parse_spec((ROOT / "buildroot/initramfs.toml").read_text(), Flavor.NORMAL)
    with OwnNames().started(spec, "x", ("a",)) as found:
        assert found == (spec, ("a",))
