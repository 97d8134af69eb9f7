"""Contract of sealing and of the numbers in a TPM. The simulated TPM keeps it in unit tests, that of swtpm in
tests/integ/tpm: each has a class of tests that inherits these, and a fixture ``site``."""

from __future__ import annotations

from typing import Protocol

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.apps.unit.execution.tpm.ratchets import SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX, TpmRatchets
from gprov.apps.unit.execution.tpm.sealing import TpmSealing
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.trust.ratchets import RatchetValues, StoredRatchets
from gprov.ports.destructive.tpm import Tpm

SECRET = b"$y$j9T$salt$" + b"h" * 43 + b"\n"
SECURE_BOOT_PCR = 7
VALUES = RatchetValues(5, 2)
INDICES = (SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX)


class Site(Protocol):
    """A machine with a TPM that has no owner."""

    tpm: Tpm

    def restart(self) -> None:
        """The machine is switched off and on."""

    def set_owner_password(self) -> None: ...

    def clear(self) -> None:
        """As an erase or a person in the setup does."""

    def lock_out(self) -> None:
        """Enough wrong passwords for a lockout."""

    def take_root_key_handle(self) -> None:
        """Another program keeps a key of its own at the handle of the storage root key."""

    def drop_root_key(self) -> None:
        """Another program removes the key at that handle."""

    def extend(self, pcr: int) -> None: ...

    def undefine(self, index: int) -> None: ...

    def redefine(self, index: int, value: int) -> None:
        """Replace an index by one that needs no policy, with another value."""


class SealingContract:
    def test_a_secret_is_returned_at_each_start_until_the_system_is_started(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        assert SECRET.strip() not in sealed
        for _ in range(2):
            assert sealing.unseal("file", sealed) == SECRET
            sealing.end()
            with pytest.raises(DeviceFault, match="PCRs have other values"):
                sealing.unseal("file", sealed)
            site.restart()
        assert sealing.unseal("file", sealed) == SECRET

    @pytest.mark.parametrize("size", [1, 127, 128, 129, 400, 1024])
    def test_secrets_of_all_sizes(self, site: Site, size: int) -> None:
        sealing, content = TpmSealing(site.tpm, FakeClock()), bytes(number % 251 for number in range(size))
        assert sealing.unseal("file", sealing.seal(content)) == content

    @pytest.mark.parametrize("size", [0, 1025])
    def test_what_cannot_be_sealed_is_refused(self, site: Site, size: int) -> None:
        with pytest.raises(DeviceFault, match="seals 1 to 1024 bytes"):
            TpmSealing(site.tpm, FakeClock()).seal(bytes(size))

    def test_nothing_can_be_sealed_after_the_system_was_started(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealing.end()
        with pytest.raises(DeviceFault, match="PCR 13 was extended"):
            sealing.seal(SECRET)

    def test_a_cleared_tpm_returns_nothing_and_seals_anew(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        site.clear()
        with pytest.raises(DeviceFault, match="another TPM, or before this one was cleared"):
            sealing.unseal("file", sealed)
        assert sealing.unseal("file", sealing.seal(SECRET)) == SECRET

    def test_a_password_that_an_owner_sets_later_does_not_matter(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        site.set_owner_password()
        site.restart()
        assert sealing.unseal("file", sealed) == SECRET

    def test_with_a_password_of_the_owner_from_the_beginning_nothing_is_sealed(self, site: Site) -> None:
        site.set_owner_password()
        with pytest.raises(DeviceFault, match="password of its owner hierarchy is set"):
            TpmSealing(site.tpm, FakeClock()).seal(SECRET)

    def test_a_key_of_others_at_the_usual_handle_does_not_matter(self, site: Site) -> None:
        site.take_root_key_handle()
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        site.restart()
        assert sealing.unseal("file", sealed) == SECRET

    def test_without_the_kept_root_key_it_is_made_again(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        site.drop_root_key()
        assert sealing.unseal("file", sealed) == SECRET

    def test_a_lockout_after_wrong_passwords_does_not_matter(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        site.lock_out()
        assert sealing.unseal("file", sealed) == SECRET
        sealing.end()

    def test_with_a_further_pcr_its_value_counts(self, site: Site) -> None:
        site.extend(SECURE_BOOT_PCR)
        sealing = TpmSealing(site.tpm, FakeClock(), frozenset((SECURE_BOOT_PCR,)))
        sealed = sealing.seal(SECRET)
        site.restart()
        with pytest.raises(DeviceFault, match="PCRs have other values"):
            sealing.unseal("file", sealed)
        site.extend(SECURE_BOOT_PCR)
        assert sealing.unseal("file", sealed) == SECRET

    def test_many_in_a_row(self, site: Site) -> None:
        """Nothing is left in the TPM's memory, which holds three objects and three sessions."""
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        for _ in range(5):
            assert sealing.unseal("file", sealed) == SECRET
        sealing.end()
        for _ in range(5):
            with pytest.raises(DeviceFault, match="PCRs have other values"):
                sealing.unseal("file", sealed)

    def test_a_file_that_was_changed_gives_no_secret(self, site: Site) -> None:
        sealing = TpmSealing(site.tpm, FakeClock())
        sealed = sealing.seal(SECRET)
        for other in (sealed.replace(b" 13\n", b" 12\n"), sealed[:-40], b"", b"{}"):
            assert other != sealed
            with pytest.raises((BadInput, DeviceFault)):
                sealing.unseal("file", other)


class RatchetContract:
    def test_nothing_stored_is_zero(self, site: Site) -> None:
        assert TpmRatchets(site.tpm, FakeClock()).read().values == RatchetValues()

    def test_numbers_are_raised_and_never_lowered(self, site: Site) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        highest = RatchetValues()
        for values in (RatchetValues(), VALUES, RatchetValues(3, 9), RatchetValues(20261130, 1), RatchetValues()):
            ratchets.raise_to(values)
            highest = highest.raised_to(values)
            assert ratchets.read().values == highest
            site.restart()
            ratchets = TpmRatchets(site.tpm, FakeClock())
        assert ratchets.read().values == highest == RatchetValues(20261130, 9)

    def test_the_running_system_reads_them_and_cannot_change_them(self, site: Site) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        ratchets.raise_to(VALUES)
        TpmSealing(site.tpm, FakeClock()).end()
        assert ratchets.read().values == VALUES
        with pytest.raises(DeviceFault, match="PCRs have other values"):
            ratchets.raise_to(RatchetValues(6, 2))
        assert ratchets.read().values == VALUES
        site.restart()
        assert TpmRatchets(site.tpm, FakeClock()).read().values == VALUES

    def test_after_the_tpm_was_cleared_they_begin_anew(self, site: Site) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        ratchets.raise_to(VALUES)
        site.clear()
        assert ratchets.read().values == RatchetValues()
        ratchets.raise_to(VALUES)
        assert ratchets.read().values == VALUES

    @pytest.mark.parametrize("index", INDICES)
    def test_an_index_that_was_removed_begins_anew(self, site: Site, index: int) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        ratchets.raise_to(VALUES)
        site.undefine(index)
        left = ratchets.read().values
        assert min(left.security_floor, left.trust_version) == 0
        assert left.raised_to(VALUES) == VALUES
        ratchets.raise_to(VALUES)
        assert ratchets.read().values == VALUES

    @pytest.mark.parametrize("index", INDICES)
    def test_an_index_that_was_replaced_is_noticed_and_made_anew(self, site: Site, index: int) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        ratchets.raise_to(VALUES)
        site.redefine(index, 1)
        found = ratchets.read()
        assert found.problems == (f"index {index:#x} of the TPM was not defined by gprov",)
        other = RatchetValues(0, 2) if index == SECURITY_FLOOR_INDEX else RatchetValues(5, 0)
        assert found.values == other
        ratchets.raise_to(VALUES)
        assert ratchets.read() == StoredRatchets(VALUES)

    def test_an_owner_password_that_is_set_later_does_not_matter(self, site: Site) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        ratchets.raise_to(VALUES)
        site.set_owner_password()
        ratchets.raise_to(RatchetValues(6, 3))
        assert ratchets.read().values == RatchetValues(6, 3)

    def test_with_an_owner_password_from_the_beginning_it_is_stated(self, site: Site) -> None:
        site.set_owner_password()
        ratchets = TpmRatchets(site.tpm, FakeClock())
        assert ratchets.read().values == RatchetValues()
        with pytest.raises(DeviceFault, match="password of its owner hierarchy is set"):
            ratchets.raise_to(VALUES)

    def test_a_lockout_does_not_matter(self, site: Site) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        ratchets.raise_to(VALUES)
        site.lock_out()
        ratchets.raise_to(RatchetValues(6, 3))
        assert ratchets.read().values == RatchetValues(6, 3)

    def test_a_number_that_the_tpm_does_not_hold_is_refused(self, site: Site) -> None:
        ratchets = TpmRatchets(site.tpm, FakeClock())
        with pytest.raises(DeviceFault, match="holds numbers up to"):
            ratchets.raise_to(RatchetValues(1 << 63, 0))
        assert ratchets.read().values == RatchetValues()
