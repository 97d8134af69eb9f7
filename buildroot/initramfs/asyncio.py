"""asyncio for a unit: nothing here runs an event loop.

dependency_injector imports these three names to recognise asynchronous providers. The real package is a third of what
/init would import before it does anything.
"""


class Future:
    """For ``isinstance`` only; never instantiated."""


def ensure_future(*_args, **_kwargs):
    raise NotImplementedError("there is no asyncio on a unit")


gather = ensure_future
