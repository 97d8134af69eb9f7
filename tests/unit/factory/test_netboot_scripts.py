"""iPXE scripts, read by an interpreter of iPXE's own rules (src/core/exec.c): words, terminators, settings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.factory.netboot import (
    asking_script,
    base_problem,
    check_arguments,
    embedded_script,
    local_script,
    provision_script,
)

BASE = "http://10.1.0.1:8901"


def commands(line: str, values: dict[str, str]) -> list[list[str]]:
    """What iPXE runs for a line, separators left out."""
    found: list[list[str]] = [[]]
    for word in line.split():
        if word.startswith("#"):
            break
        if word in ("||", "&&", ";"):
            found.append([])
            continue
        while "${" in word and "}" in word:
            word = re.sub(r"\$\{([^${}]*)\}", lambda match: values.get(match[1], ""), word, count=1)
        found[-1].append(word)
    return [each for each in found if each]


def kernel_line(script: str) -> list[str]:
    (line,) = [line for line in script.splitlines() if line.startswith("kernel ")]
    return commands(line, {})[0]


def test_iPXE_is_asked_which_machine_it_runs_on() -> None:
    shebang, comment, chain = asking_script(f"{BASE}/").splitlines()
    assert shebang == "#!ipxe"
    assert commands(comment, {}) == []
    values = {"netX/mac": "56:78:90:00:00:01", "serial:uristring": "A%2F1", "board-serial:uristring": ""}
    url = f"{BASE}/boot.ipxe?mac=56:78:90:00:00:01&serial=A%2F1&board="
    assert commands(chain, values) == [["chain", "--replace", url]]


def test_provisioning_is_started_with_the_data_of_this_server() -> None:
    script = provision_script(BASE, check_arguments("x", ' console=ttyS0  A="b c" '), Branding())
    assert script.startswith("#!ipxe\n")
    kernel, data = f"{BASE}/files/provision.pxe", f"mfgurl={BASE}/files/manufData.json"
    assert kernel_line(script) == ["kernel", kernel, data, "console=ttyS0", 'A="b', 'c"']
    assert kernel_line(provision_script(BASE, "", Branding())) == ["kernel", kernel, data]


def test_the_kernel_may_come_from_another_port_than_the_data() -> None:
    script = provision_script("https://10.1.0.1:8901", "", Branding(), boot="http://10.1.0.1:8900/")
    kernel, data = "http://10.1.0.1:8900/files/provision.pxe", "mfgurl=https://10.1.0.1:8901/files/manufData.json"
    assert kernel_line(script) == ["kernel", kernel, data]


def test_a_script_inside_ipxe_leads_to_its_server_alone() -> None:
    script = embedded_script("https://10.1.0.1:8900/")
    assert script.startswith("#!ipxe\n")
    assert set(re.findall(r"https?://\S+", script)) == {"https://10.1.0.1:8900", "https://10.1.0.1:8900/boot.ipxe"}
    (line,) = [line for line in script.splitlines() if "chain" in line]
    assert commands(line, {}) == [["dhcp"], ["chain", "--replace", "https://10.1.0.1:8900/boot.ipxe"]]
    assert set(re.findall(r"\bgoto (\S+)", script)) == set(re.findall(r"^:(\S+)$", script, re.MULTILINE))
    assert "iseq ${failures} 40 && exit 1 ||" in script


def test_the_tries_are_bounded_and_every_label_is_there() -> None:
    script = provision_script(BASE, "", Branding())
    labels = set(re.findall(r"^:(\S+)$", script, re.MULTILINE))
    assert set(re.findall(r"\bgoto (\S+)", script)) == labels
    assert "iseq ${failures} 40 && goto given-up" in script
    assert script.endswith("exit 1\n")


def test_a_provisioned_unit_goes_on_with_its_boot_order() -> None:
    script = local_script()
    assert "kernel" not in script
    assert script.endswith("\nexit 1\n")


@pytest.mark.parametrize(
    "text",
    ["a || b", "a && b", ";", "a #b", "x=${net0/mac}", "a\nboot", "ä", 'A="b  c"', "mfgurl=http://x/", "a" * 1501],
)
def test_arguments_that_ipxe_would_change_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        check_arguments("--boot-arguments", text)


def test_every_problem_is_reported() -> None:
    with pytest.raises(BadInput) as caught:
        check_arguments("--boot-arguments", "${x} || # mfgurl=a")
    assert len(caught.value.problems) == 4


@settings(max_examples=200)
@given(st.text(max_size=60) | st.text(alphabet='ab=" $#{|&;', max_size=40))
def test_what_is_accepted_reaches_the_kernel_as_it_is(text: str) -> None:
    try:
        arguments = check_arguments("x", text)
    except BadInput:
        return
    assert " ".join(kernel_line(provision_script(BASE, arguments, Branding()))[3:]) == arguments
    assert arguments.split() == text.split()
    assert arguments.split('"')[1::2] == text.strip().split('"')[1::2] or text.count('"') % 2


@pytest.mark.parametrize("url", ["http://a", "http://a/", "https://a.b:8443", "http://[fe80::1]:80"])
def test_addresses_of_servers(url: str) -> None:
    assert base_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "ftp://a",
        "http://a/b",
        "http://a?",
        "http://a#",
        "http://u@a",
        "http://a b",
        "http://${x}",
        "http://a:0",
    ],
)
def test_what_is_no_address_of_a_server(url: str) -> None:
    assert base_problem(url)
