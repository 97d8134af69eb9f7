"""Reconciliation of boot entries: examples, and properties over arbitrary NVRAM content and power cuts."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virt.firmware.efi import bootentry

from gprov.adapters.fake.firmware.firmware import apply_changes
from gprov.domain.boot.entries import (
    DeleteVariable,
    EspLocation,
    PlannedEntry,
    SetVariable,
    VariableChange,
    planned_entries,
    reconcile,
    started_by_fallback,
)
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, InternalError
from gprov.domain.formats.efi.boot_variables import boot_entries, entry_name, free_numbers, numbers_in
from gprov.domain.formats.efi.device_nodes import Acpi, FilePath, Mac, Pci, Sata, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, parse_load_option, read_description, serialise_load_option
from gprov.domain.formats.efi.variables import Variable

BRANDING = Branding()
GUID = "0b7c6cda-a5a2-4f6b-9a4f-5a2f38c7d1ee"
ESP = EspLocation(1, 2048, 409600, GUID)
WANTED = planned_entries(BRANDING, ESP, "")
NORMAL, RESTORE, ERASE = WANTED
OURS = {entry.description for entry in WANTED}

Nvram = Mapping[str, Variable]


def order(*numbers: int) -> Variable:
    return Variable(7, struct.pack(f"<{len(numbers)}H", *numbers))


def foreign(description: str = "UEFI PXEv4") -> Variable:
    return Variable(7, serialise_load_option(LoadOption(description, (Pci(3, 0), Mac(bytes(32), 1)))))


def stale(entry: PlannedEntry) -> Variable:
    """The same entry for an ESP that is gone."""
    path = (gpt_partition(1, 2048, 409600, "11111111-2222-3333-4444-555555555555"), FilePath("\\norm_boot"))
    return PlannedEntry(entry.description, path, entry.arguments, entry.in_order).variable()


def after(existing: Nvram, wanted: tuple[PlannedEntry, ...] = WANTED) -> dict[str, Variable]:
    return apply_changes(existing, reconcile(existing, wanted))


def described(nvram: Nvram) -> dict[int, str | None]:
    return {number: read_description(variable.data) for number, variable in boot_entries(nvram).items()}


def tried(nvram: Nvram) -> list[str | None]:
    """What the firmware tries, in order: BootOrder without numbers that no entry has."""
    entries = described(nvram)
    return [entries[number] for number in numbers_in(nvram, "BootOrder") if number in entries]


def test_an_empty_nvram_gets_three_entries_of_which_one_is_tried() -> None:
    nvram = after({})
    assert described(nvram) == {0: "Normal Boot", 0x80: "Forced Factory Restore", 0x81: "Data Erase (DANGER!)"}
    assert nvram["BootOrder"] == order(0)
    assert all(variable.attributes == 7 for variable in nvram.values())


def test_entries_are_what_another_reader_takes_them_for() -> None:
    nvram = after({})
    arguments = {0: "quiet real_root=LABEL=PRIMARY", 0x80: "quiet", 0x81: "DATA_ERASE=1"}
    for (number, text), entry in zip(arguments.items(), WANTED, strict=True):
        theirs = bootentry.BootEntry(data=nvram[entry_name(number)].data)
        assert theirs.attr == bootentry.LOAD_OPTION_ACTIVE
        assert str(theirs.title) == entry.description
        assert [str(element) for element in theirs.devicepath] == ["Partition(nr=1)", "FilePath(\\norm_boot)"]
        assert str(theirs.devicepath[0].get_partuuid()) == GUID
        assert theirs.optdata.decode("utf-16-le") == text + "\0"


def test_extra_arguments_reach_all_entries() -> None:
    """A person confirms an erase on the console that they name."""
    extras = "console=ttyS0 PROVISION_VERBOSE=1"
    normal, restore, erase = planned_entries(BRANDING, ESP, extras)
    assert normal.arguments == f"quiet real_root=LABEL=PRIMARY {extras}"
    assert restore.arguments == f"quiet {extras}"
    assert erase.arguments == f"DATA_ERASE=1 {extras}"


@pytest.mark.parametrize(
    "extras", ["DATA_ERASE=1", '"DATA_ERASE=1"', "real_root=LABEL=X", "frmode=shell mfgurl=http://x"]
)
def test_extra_arguments_cannot_turn_one_entry_into_another(extras: str) -> None:
    assert planned_entries(BRANDING, ESP, f"a=1 {extras} b=2") == planned_entries(BRANDING, ESP, "a=1 b=2")


@pytest.mark.parametrize("extras", ["x" * 2048, 'a="b\nc"'])
def test_extra_arguments_that_cannot_be_stored_are_refused(extras: str) -> None:
    with pytest.raises(BadInput):
        planned_entries(BRANDING, ESP, extras)


def test_a_partition_without_guid_is_refused() -> None:
    with pytest.raises(BadInput):
        planned_entries(BRANDING, EspLocation(1, 2048, 409600, ""), "")


def test_names_come_from_the_branding() -> None:
    own = Branding(primary_label="MAIN", boot_kernel="vmlinuz", normal_entry="Acme")
    entry = planned_entries(own, ESP, "")[0]
    assert (entry.description, entry.arguments) == ("Acme", "quiet real_root=LABEL=MAIN")
    assert entry.device_path[1] == FilePath("\\vmlinuz")


def test_entries_that_are_right_are_not_written_again() -> None:
    assert reconcile(after({}), WANTED) == ()


@pytest.mark.parametrize(
    "option",
    [
        # as gprovision (efibootmgr) wrote it: without NUL
        LoadOption("Normal Boot", NORMAL.device_path, "quiet real_root=LABEL=PRIMARY".encode("utf-16-le")),
        # trailing blank, other case and separator of the path
        LoadOption(
            "Normal Boot",
            (NORMAL.device_path[0], FilePath("/NORM_BOOT")),
            "quiet real_root=LABEL=PRIMARY \0".encode("utf-16-le"),
        ),
        # firmware that puts the way to the disk in front, and sets further attributes
        LoadOption(
            "Normal Boot",
            (Acpi(0x0A0341D0, 0), Pci(31, 2), Sata(0, 0xFFFF, 0), *NORMAL.device_path),
            "quiet real_root=LABEL=PRIMARY\0".encode("utf-16-le"),
            attributes=3,
        ),
    ],
)
def test_entries_that_differ_in_form_only_are_left_alone(option: LoadOption) -> None:
    nvram = {**after({}), "Boot0000": Variable(7, serialise_load_option(option))}
    assert reconcile(nvram, WANTED) == ()


GOOD = parse_load_option(NORMAL.variable().data)
OTHER_PARTITION = gpt_partition(2, 2048, 409600, GUID)


@pytest.mark.parametrize(
    "data",
    [
        stale(NORMAL).data,
        *map(
            serialise_load_option,
            [
                replace(GOOD, attributes=0),  # switched off
                replace(GOOD, data=b""),  # arguments lost
                replace(GOOD, data=b"\0\0BO"),  # arguments overwritten by the firmware
                replace(GOOD, data=b"q"),  # no text
                replace(GOOD, data="quiet real_root=LABEL=OTHER".encode("utf-16-le")),
                replace(GOOD, path=(OTHER_PARTITION, FilePath("\\norm_boot"))),
                replace(GOOD, path=(GOOD.path[0], FilePath("\\other"))),
                replace(GOOD, path=GOOD.path[:1]),
                replace(GOOD, path=()),
            ],
        ),
        NORMAL.variable().data[:50],  # cut off behind the description
    ],
)
def test_an_entry_that_is_wrong_is_corrected_under_its_number(data: bytes) -> None:
    nvram = {**after({}), "Boot0000": Variable(7, data)}
    assert reconcile(nvram, WANTED) == (SetVariable("Boot0000", NORMAL.variable()),)


def test_an_entry_with_other_attributes_is_replaced() -> None:
    """SetVariable refuses to change them."""
    nvram = {**after({}), "Boot0000": Variable(3, NORMAL.variable().data)}
    assert reconcile(nvram, WANTED) == (
        SetVariable("Boot0001", NORMAL.variable()),
        SetVariable("BootOrder", order(1)),
        DeleteVariable("Boot0000"),
    )


def test_foreign_entries_and_their_order_are_left_alone() -> None:
    nvram = {
        "Boot0000": foreign("disk"),
        "Boot0001": foreign("net"),
        "Boot0004": foreign("setup"),
        "BootOrder": order(1, 9, 4, 0, 1),  # 9 does not exist, 1 stands twice
        "BootNext": order(4),
        "BootCurrent": order(1),
        "Timeout": Variable(7, b"\x05\0"),
    }
    result = after(nvram)
    assert result["BootOrder"] == order(2, 1, 9, 4, 0, 1)
    assert {name: result[name] for name in nvram if name != "BootOrder"} == {
        name: nvram[name] for name in nvram if name != "BootOrder"
    }
    assert described(result)[2] == "Normal Boot"


def test_new_entries_get_no_number_that_a_list_still_speaks_of() -> None:
    """A restore entry that took number 0 would be tried by the firmware."""
    nvram = {"BootOrder": order(0, 2), "BootNext": order(1), "BootCurrent": order(4)}
    result = after(nvram)
    assert described(result) == {3: "Normal Boot", 0x80: "Forced Factory Restore", 0x81: "Data Erase (DANGER!)"}
    assert result["BootOrder"] == order(3, 0, 2)


def test_what_only_a_person_may_choose_is_taken_out_of_the_order() -> None:
    nvram = {**after({}), "BootOrder": order(0x81, 0x80, 0)}
    assert reconcile(nvram, WANTED) == (SetVariable("BootOrder", order(0)),)


def test_the_normal_entry_is_put_first() -> None:
    nvram = {**after({}), "Boot0007": foreign(), "BootOrder": order(7, 0)}
    assert reconcile(nvram, WANTED) == (SetVariable("BootOrder", order(0, 7)),)


def test_duplicates_are_removed_after_the_order_no_longer_names_them() -> None:
    nvram = {
        **after({}),
        "Boot0005": stale(NORMAL),
        "Boot0006": NORMAL.variable(),
        "Boot0088": ERASE.variable(),
        "BootOrder": order(5, 6, 0),
        "BootNext": order(0x88),
    }
    assert reconcile(nvram, WANTED) == (
        SetVariable("BootOrder", order(6)),
        DeleteVariable("BootNext"),
        DeleteVariable("Boot0000"),
        DeleteVariable("Boot0005"),
        DeleteVariable("Boot0088"),
    )


def test_a_damaged_order_is_written_anew() -> None:
    nvram = {**after({}), "BootOrder": Variable(7, b"\0\0\x05")}
    assert reconcile(nvram, WANTED) == (SetVariable("BootOrder", order(0)),)


def test_the_order_keeps_its_attributes() -> None:
    nvram = {"BootOrder": Variable(0x27, b"\x05\0")}
    assert after(nvram)["BootOrder"] == Variable(0x27, b"\0\0\x05\0")


def test_two_entries_of_one_name_are_an_error_of_ours() -> None:
    with pytest.raises(InternalError):
        reconcile({}, (NORMAL, NORMAL))


def test_a_full_nvram_is_reported() -> None:
    nvram = {"BootOrder": order(*range(0x10000))}
    with pytest.raises(DeviceFault):
        free_numbers(nvram, 1)


def test_changes_describe_themselves() -> None:
    lines = [change.describe() for change in reconcile({"Boot0007": stale(ERASE)}, WANTED)]
    place = f"HD(1,GPT,{GUID},0x800,0x64000)/\\norm_boot"
    assert lines == [
        f"set Boot0000 to 'Normal Boot': {place} 'quiet real_root=LABEL=PRIMARY'",
        f"set Boot0080 to 'Forced Factory Restore': {place} 'quiet'",
        f"set Boot0007 to 'Data Erase (DANGER!)': {place} 'DATA_ERASE=1'",
        "set BootOrder to 0000",
    ]
    assert DeleteVariable("Boot0001").describe() == "delete Boot0001"
    assert SetVariable("BootOrder", order()).describe() == "set BootOrder to nothing"


# --- properties -------------------------------------------------------------------------------------------------------

numbers = st.one_of(st.integers(0, 9), st.sampled_from([0xABCD, 0xFFFF]))
some_variables = st.one_of(
    st.sampled_from(WANTED).map(lambda entry: entry.variable()),
    st.sampled_from(WANTED).map(stale),
    st.sampled_from(WANTED).map(lambda entry: Variable(3, entry.variable().data)),
    st.sampled_from(WANTED).map(lambda entry: Variable(7, entry.variable().data[:-20])),
    st.sampled_from(["disk", "net"]).map(foreign),
    st.builds(Variable, st.integers(0, 0xFF), st.binary(max_size=30)),
)
lists = st.one_of(
    st.lists(numbers, max_size=8).map(lambda found: order(*found)),
    st.builds(Variable, st.integers(0, 0xFF), st.binary(max_size=9)),
)


@st.composite
def nvrams(draw: st.DrawFn) -> dict[str, Variable]:
    nvram = {
        entry_name(number): variable
        for number, variable in draw(st.dictionaries(numbers, some_variables, max_size=8)).items()
    }
    for name in ("BootOrder", "BootNext", "BootCurrent"):
        if draw(st.booleans()):
            nvram[name] = draw(lists)
    return nvram


@given(nvrams())
def test_reconciling_twice_changes_nothing_more(nvram: Nvram) -> None:
    assert reconcile(after(nvram), WANTED) == ()


@given(nvrams())
def test_afterwards_all_of_ours_are_there_once_and_only_normal_is_tried(nvram: Nvram) -> None:
    result = after(nvram)
    mine = {number: name for number, name in described(result).items() if name in OURS}
    assert sorted(filter(None, mine.values())) == sorted(OURS)
    first, *others = numbers_in(result, "BootOrder")
    assert mine[first] == "Normal Boot"
    assert not set(others) & set(mine)
    for entry in WANTED:
        number = next(number for number, name in mine.items() if name == entry.description)
        assert parse_load_option(result[entry_name(number)].data).path[-2:] == entry.device_path


@given(nvrams())
def test_foreign_variables_never_change(nvram: Nvram) -> None:
    result = after(nvram)
    theirs = {
        name: variable
        for name, variable in nvram.items()
        if name not in ("BootOrder", "BootNext") and read_description(variable.data) not in OURS
    }
    assert {name: result.get(name) for name in theirs} == theirs
    mine = {number for nv in (nvram, result) for number, name in described(nv).items() if name in OURS}
    assert [number for number in numbers_in(result, "BootOrder") if number not in mine] == [
        number for number in numbers_in(nvram, "BootOrder") if number not in mine
    ]


@settings(max_examples=200)
@given(nvrams())
def test_power_may_be_cut_between_any_two_writes(nvram: Nvram) -> None:
    """If the unit was bootable by our entry it stays so, and nothing that only a person may choose comes to be tried.

    The next start, which reconciles again, ends as if nothing had happened.
    """
    changes = reconcile(nvram, WANTED)
    before = tried(nvram)
    for cut in range(len(changes) + 1):
        state = apply_changes(nvram, changes[:cut])
        now = tried(state)
        if "Normal Boot" in before:
            assert "Normal Boot" in now
        for dangerous in (RESTORE.description, ERASE.description):
            assert now.count(dangerous) <= before.count(dangerous)
        assert reconcile(after(state), WANTED) == ()
        assert tried(after(state))[0] == "Normal Boot"


@given(nvrams())
def test_no_variable_is_written_twice_or_in_vain(nvram: Nvram) -> None:
    changes = reconcile(nvram, WANTED)
    assert len({change.name for change in changes}) == len(changes)
    for change in changes:
        if isinstance(change, SetVariable):
            assert nvram.get(change.name) != change.variable
        else:
            assert change.name in nvram


@given(nvrams())
def test_numbers_in_the_order_exist_when_it_is_written(nvram: Nvram) -> None:
    changes: tuple[VariableChange, ...] = reconcile(nvram, WANTED)
    for index, change in enumerate(changes):
        if isinstance(change, SetVariable) and change.name == "BootOrder":
            state = apply_changes(nvram, changes[: index + 1])
            assert numbers_in(state, "BootOrder")[0] in boot_entries(state)


# --- who started it ---------------------------------------------------------------------------------------------------


def current(number: int, nvram: Nvram) -> dict[str, Variable]:
    return {**nvram, "BootCurrent": Variable(6, struct.pack("<H", number))}


def test_our_restore_entry_is_a_wish() -> None:
    assert started_by_fallback(current(0x80, after({})), BRANDING) is False


def test_entries_of_ours_that_lost_their_arguments_are_no_wish() -> None:
    assert started_by_fallback(current(0, after({})), BRANDING) is True
    assert started_by_fallback(current(0x81, after({})), BRANDING) is True


def test_an_entry_that_the_firmware_made_up_for_a_disk_is_no_wish() -> None:
    made_up = LoadOption("UEFI QEMU HARDDISK QM00001", (Acpi(0x0A0341D0, 0), Pci(31, 2), Sata(0, 0xFFFF, 0)))
    nvram = current(3, {"Boot0003": Variable(7, serialise_load_option(made_up))})
    assert started_by_fallback(nvram, BRANDING) is True


def test_a_start_over_the_network_is_a_wish() -> None:
    assert started_by_fallback(current(3, {"Boot0003": foreign()}), BRANDING) is False


@pytest.mark.parametrize(
    "nvram",
    [
        after({}),  # no BootCurrent
        current(9, after({})),  # no such entry
        {**after({}), "BootCurrent": Variable(6, b"\x01")},
        {**after({}), "BootCurrent": Variable(6, b"\x01\0\x01\0")},
        current(4, {"Boot0004": Variable(7, b"\x01")}),
    ],
)
def test_without_a_restore_entry_in_bootcurrent_no_restore_is_requested(nvram: Nvram) -> None:
    assert started_by_fallback(nvram, BRANDING) is True


def test_without_any_variable_there_is_no_such_fallback() -> None:
    assert started_by_fallback({}, BRANDING) is False


@given(nvrams())
def test_any_variables_have_an_answer(nvram: Nvram) -> None:
    assert started_by_fallback(nvram, BRANDING) in (True, False)


def test_what_the_order_does_not_list_stays_clear_of_numbers_that_firmware_gives_away() -> None:
    """EDK II gives a new device the lowest number that BootOrder does not list, even if an entry has it."""
    result = described(after({"Boot0000": foreign(), "BootOrder": order(0)}))
    unlisted = [number for number, name in result.items() if name in (RESTORE.description, ERASE.description)]
    assert all(number >= 0x80 for number in unlisted)
