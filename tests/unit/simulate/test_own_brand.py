"""An adopter changes every name, and the flows go on: on the simulated machine, as on a real one."""

from __future__ import annotations

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.domain.branding import Branding

OURS = Branding(
    image_prefix="ACME.",
    recovery_label="RESCUE",
    primary_label="SYSTEM",
    esp_label="LOADER",
    flag_file="system.good",
    boot_kernel="acme_boot",
    provision_kernel="acme.pxe",
    config_folder="/etc/acme",
    environment_prefix="ACME_",
    hostname_prefix="acme-",
    log_folder="journal",
    real_init="/sbin/acme-init",
    admin="boss",
    normal_entry="Start",
    restore_entry="Make new",
    erase_entry="Erase",
)


def test_a_unit_with_names_of_an_adopter_is_provisioned_restored_and_started() -> None:
    world = new_world(branding=OURS)
    assert [world.provision(), world.boot(), world.boot()] == [
        StopReason.REBOOT,
        StopReason.REBOOT,
        StopReason.SWITCHED_ROOT,
    ]
    assert sorted(volume.label for volume in world.machine.volumes()) == ["LOADER", "RESCUE", "SYSTEM"]
    system = world.machine.volume_tree("SYSTEM")
    for path in (
        "/system.good",
        "/sbin/acme-init",
        "/boot/acme_boot",
        "/etc/acme/serial",
        "/ACME.2026-01-15.1.disktag",
    ):
        assert system.get(path) is not None, path
    shadow = system.get("/etc/shadow")
    assert shadow is not None
    assert b"\nboss:$fake$" in shadow.content
    assert world.machine.volume_tree("LOADER").get("/acme_boot") is not None
