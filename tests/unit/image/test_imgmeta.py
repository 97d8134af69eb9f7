"""imgmeta.json."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.image.imgmeta import ImageMeta, parse_imgmeta, serialise_imgmeta
from gprov.domain.image.name import ImageName

NAME = ImageName(date(2024, 2, 29), 7, "07", "W.")


def test_fields() -> None:
    meta = parse_imgmeta(
        "x.upd",
        b'{"BinVer":"1.2","BinTime":"2402291805","ImportJob":"i#1","ImgJob":"j#2","ImgName":"W.2024-02-29.07.upd",'
        b'"Stream":"main","Else":[]}',
    )
    assert meta == ImageMeta(
        bin_ver="1.2",
        bin_time="2402291805",
        import_job="i#1",
        img_job="j#2",
        img_name="W.2024-02-29.07.upd",
        stream="main",
    )
    assert parse_imgmeta("x.upd", b"{}") == ImageMeta()


@pytest.mark.parametrize(
    "time", ["2413291805", "240229180", "24022918055", "2402301805", "\u0662402291805", "240229 805"]
)
def test_wrong_time(time: str) -> None:
    with pytest.raises(BadInput, match="BinTime"):
        parse_imgmeta("x.upd", serialise_imgmeta(ImageMeta(bin_time=time)))


def test_every_problem_is_reported() -> None:
    with pytest.raises(BadInput) as caught:
        parse_imgmeta("x.upd", b'{"BinVer":1,"BinTime":"x","Stream":[]}')
    assert sorted(problem.place for problem in caught.value.problems) == ["$.BinTime", "$.BinVer", "$.Stream"]


def test_mismatch_is_returned_not_raised() -> None:
    assert ImageMeta(img_name="W.2024-02-29.07.upd").mismatch(NAME) == ""
    assert ImageMeta(img_name="W.2024-02-29.07").mismatch(NAME) == ""
    assert ImageMeta().mismatch(NAME) == ""
    assert "W.2024-02-29.7" in ImageMeta(img_name="W.2024-02-29.7").mismatch(NAME)


@given(st.text(), st.text(), st.text())
def test_round_trip(version: str, job: str, name: str) -> None:
    meta = ImageMeta(bin_ver=version, img_job=job, img_name=name, bin_time="9912312359")
    assert parse_imgmeta("x", serialise_imgmeta(meta)) == meta
