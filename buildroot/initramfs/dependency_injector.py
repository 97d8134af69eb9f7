"""dependency_injector for a unit: the containers and providers that gprov.apps.unit.composition.wiring uses.

The package is 3 MB of compiled code, and imports inspect, json, configparser and its own support for frameworks: more
than a normal boot does in all of its own modules. What is here behaves as the package's does
(tests/unit/build/test_unit_modules.py).
"""


class _Provider:
    def __init__(self):
        self.overridden = ()

    def __call__(self):
        return self.overridden[-1]() if self.overridden else self._provide()

    @property
    def last_overriding(self):
        return self.overridden[-1] if self.overridden else None

    def override(self, provider):
        if provider is self:
            raise ValueError("a provider cannot replace itself")
        self.overridden += (provider if isinstance(provider, _Provider) else _Object(provider),)
        return _Overriding(self)

    def reset_last_overriding(self):
        if not self.overridden:
            raise ValueError("this provider is not overridden")
        self.overridden = self.overridden[:-1]

    def reset_override(self):
        self.overridden = ()

    def copied(self, memo):
        """A copy for another container. ``memo``: copies that there are, by the number of the original."""
        found = memo.get(id(self))
        if found is None:
            found = memo[id(self)] = type(self)()
            self._copy_to(found, memo)
            found.overridden = tuple(provider.copied(memo) for provider in self.overridden)
        return found


class _Overriding:
    """Context manager: at its end, the last replacement of the provider ends."""

    def __init__(self, provider):
        self._provider = provider

    def __enter__(self):
        return self._provider.last_overriding

    def __exit__(self, *_):
        self._provider.reset_last_overriding()


class _Object(_Provider):
    def __init__(self, provides=None):
        super().__init__()
        self.provides = provides

    def set_provides(self, provides):
        self.provides = provides
        return self

    def _provide(self):
        return self.provides

    def _copy_to(self, other, _memo):
        other.provides = self.provides


class _Made(_Provider):
    """Calls ``provides`` with ``args`` and ``kwargs``: what providers among them provide, all others as they are."""

    def __init__(self, provides=None, *args, **kwargs):
        super().__init__()
        self.provides = provides
        self.args = args
        self.kwargs = kwargs

    def _make(self):
        arguments = (_provided(argument) for argument in self.args)
        return self.provides(*arguments, **{name: _provided(argument) for name, argument in self.kwargs.items()})

    def _copy_to(self, other, memo):
        other.provides = _copied(self.provides, memo)
        other.args = tuple(_copied(argument, memo) for argument in self.args)
        other.kwargs = {name: _copied(argument, memo) for name, argument in self.kwargs.items()}


def _provided(argument):
    return argument() if isinstance(argument, _Provider) else argument


def _copied(argument, memo):
    return argument.copied(memo) if isinstance(argument, _Provider) else argument


class _Factory(_Made):
    def _provide(self):
        return self._make()


class _Singleton(_Made):
    def __init__(self, provides=None, *args, **kwargs):
        super().__init__(provides, *args, **kwargs)
        self._instance = None

    def _provide(self):
        if self._instance is None:
            self._instance = self._make()
        return self._instance

    def reset(self):
        self._instance = None


class _Container:
    """What a call of a declared container returns: its providers are attributes."""


class _DeclarativeContainer:
    providers = {}

    def __init_subclass__(cls):
        cls.providers = {name: provider for base in cls.__bases__ for name, provider in base.providers.items()}
        cls.providers |= {name: value for name, value in vars(cls).items() if isinstance(value, _Provider)}

    def __new__(cls):
        container, memo = _Container(), {}
        container.providers = {name: provider.copied(memo) for name, provider in cls.providers.items()}
        vars(container).update(container.providers)
        return container


class providers:  # noqa: N801 - as the module of that name
    Provider = _Provider
    Object = _Object
    Factory = _Factory
    Singleton = _Singleton


class containers:  # noqa: N801 - as the module of that name
    DeclarativeContainer = _DeclarativeContainer
