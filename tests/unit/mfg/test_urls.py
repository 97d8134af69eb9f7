from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.mfg.urls import base_name, redacted, url_problem


@pytest.mark.parametrize(
    "url",
    [
        "http://h", "https://h:8443/a/b?c=d#e", "http://10.0.2.2:8901/", "http://[fe80::1]:80/x", "HTTP://Host/",
        "http://user:pw@h/x", "http://under_score.lan/%20x", "http://a.example./", "http://" + "h" * 63 + "/", "http://h:/x",
    ],
)  # fmt: skip
def test_accepted(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "h/x", "//h/x", "ftp://h/", "file:///x", "http:", "http://", "http:///x", "http://:80/", "http://h:70000/",
        "http://h:0/", "http://h:x/", "http://[::1/", "http://[1.2.3.4]/", "http://a b/", "http://h/\n", "http://h/%zz",
        "http://h/{{.X}}", "http://-h/", "http://h/ü", "http://" + "h." * 127,
        "http://a..b/", "http://.a/", "http://" + "h" * 64 + ".lan/",
    ],
)  # fmt: skip
def test_refused(url: str) -> None:
    assert url_problem(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://user:pw@h/x", "http://***@h/x"),
        ("https://a@b:c@h:1/x?token=2", "https://***@h:1/x?***"),
        ("//user:pw@h/x", "//***@h/x"),
        ("http://h/a@b", "http://h/a@b"),
        ("http://h/x", "http://h/x"),
        ("no url", "no url"),
    ],
)
def test_redacted(url: str, expected: str) -> None:
    assert redacted(url) == expected


@settings(max_examples=150)
@given(st.text(alphabet="abc@:/?#%[]", max_size=30))
def test_any_text_is_judged(text: str) -> None:
    url_problem(text)
    url_problem("http://" + text)
    base_name("http://h/" + text)
    redacted(text)


@settings(max_examples=100)
@given(
    st.text(alphabet="abcdefgh", min_size=1),
    st.text(alphabet="ijklmnop:@", min_size=1),
    st.sampled_from(["x", "x/y", ""]),
)
def test_credentials_never_show(user: str, password: str, path: str) -> None:
    assert redacted(f"http://{user}:{password}@host.example/{path}") == f"http://***@host.example/{path}"
