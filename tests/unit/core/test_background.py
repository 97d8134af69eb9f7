"""Work beside the flow, on a unit and on a simulated machine."""

from __future__ import annotations

import threading

from gprov.adapters.fake.system.background import FakeBackground
from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.system.background import ThreadBackground


def test_a_thread_lets_the_flow_go_on_and_can_be_waited_for() -> None:
    may_end, began = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(60)

    task = ThreadBackground().start("work", work)
    assert began.wait(60)
    assert not task.wait(0.01)
    may_end.set()
    assert task.wait(60)


def test_a_simulated_machine_does_it_at_once_or_never() -> None:
    clock, done = FakeClock(), list[str]()
    background = FakeBackground(clock, {"stuck"})
    assert background.start("work", lambda: done.append("work")).wait(5)
    begun = clock.monotonic()
    assert not background.start("stuck", lambda: done.append("stuck")).wait(5)
    assert done == ["work"]
    assert clock.monotonic() - begun == 5
