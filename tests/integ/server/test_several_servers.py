"""Two server processes on one PostgreSQL database and one data folder, under reports to both at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from gprov.adapters.linux.keys.key_file import KeyFile
from gprov.apps.server.container import server_container
from gprov.apps.server.store.database import Database
from gprov.domain.erase.certificate import sha256_of
from gprov.domain.events import ProcessState as S
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.store import StoreSettings
from tests.integ.server.postgresql import Cluster
from tests.integ.server.test_erase_certificates import report
from tests.integ.server.test_server_process import Server, lines

UNITS = 12


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return postgresql.new_database()


@pytest.fixture
def servers(tmp_path: Path, url: str) -> Iterator[tuple[Server, Server]]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "server.toml").write_text(f'[store]\ndatabase = "{url}"\n')
    with ExitStack() as stack:
        pair = stack.enter_context(closing(Server(data))), stack.enter_context(closing(Server(data)))
        for server in pair:
            server.start()
        yield pair


def test_both_keep_one_store(servers: tuple[Server, Server], url: str, tmp_path: Path) -> None:
    def live(number: int) -> None:
        """Each report goes to the other server than the one before."""
        serial = f"SN{number}"
        one, other = (servers[(number + each) % 2].client(f"{number:032x}") for each in (0, 1))
        one.state(serial, S.MFG_STARTED)
        assert other.credentials(serial) == one.credentials(serial)
        one.events(serial, lines(1, 60))
        other.events(serial, lines(31, 90))
        other.document(serial, "qa.json", f"all is well with {number}")
        one.state(serial, S.MFG_SUCCEEDED)
        servers[0].client().state(serial, S.FR_SUCCEEDED)
        other.register(report(serial))

    with ThreadPoolExecutor(UNITS) as pool:
        list(pool.map(live, range(UNITS)))
    for number in range(UNITS):
        page = servers[number % 2].get("events", serial=f"SN{number}")
        numbers = [event["number"] for event in page["events"] if event["number"]]
        assert numbers == list(range(1, 91))
        places = [event["seq"] for event in page["events"]]
        assert places == list(range(1, len(places) + 1))
    data = tmp_path / "data"
    for number in range(UNITS):
        assert (data / "documents" / f"SN{number}~qa.json").read_text() == f"all is well with {number}"
    previous = None
    for number in range(1, UNITS + 1):
        certificate = (data / "certificates" / f"erasure-{number:08d}.json").read_bytes()
        chain = json.loads(certificate)["chain"]
        assert chain["sequence"] == number
        assert previous is None or chain["previous"] == previous
        previous = sha256_of(certificate)
    with psycopg.connect(url) as db:
        assert db.execute("SELECT count(*), count(DISTINCT report_sha256) FROM erasures").fetchone() == (UNITS, UNITS)
        assert db.execute("SELECT count(*) FROM audit WHERE action = 'handed-out'").fetchone() == (2 * UNITS,)
    keys = KeyFile(str(servers[0].key_file), str(data))
    container = server_container(str(data), keys, ServerSettings(store=StoreSettings(database=url)))
    with closing(container.database()) as database, database.read() as read:
        assert container.trail().problems(read) == ()


def test_one_goes_on_when_the_other_is_killed(servers: tuple[Server, Server]) -> None:
    first, second = servers
    session = f"{1:032x}"
    client = first.client(session)
    client.state("SN1", S.MFG_STARTED)
    passwords = client.credentials("SN1")
    first.end(9)
    again = second.client(session)
    assert again.credentials("SN1") == passwords
    again.state("SN1", S.MFG_SUCCEEDED)
    assert second.get("unit", serial="SN1")["summary"]["state"] == "MFG_SUCCEEDED"


def test_a_database_that_answers_before_it_flushes_waits_for_this_store(url: str) -> None:
    with closing(Database("", url)) as database:
        with database.read() as db:
            assert db.execute(text("SHOW synchronous_commit")).scalar_one() == "off", "as the cluster is set"
        with database.write() as db:
            assert db.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        name = url.rpartition("/")[2].partition("?")[0]
        with database.session() as db:
            db.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply"))
    with closing(Database("", url)) as database, database.write() as db:
        assert db.execute(text("SHOW synchronous_commit")).scalar_one() == "remote_apply", "more is kept"
