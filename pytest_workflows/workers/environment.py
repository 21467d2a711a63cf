"""`workers.env`: one object for the whole session, answering with the running test's bindings."""

from __future__ import annotations

from typing import Any, NoReturn

from durable_engine import run_untimed
from pytest_workflows.active_test import Resolver, get_resolver, set_resolver
from pytest_workflows.javascript.objects import JsObject
from pytest_workflows.javascript.rpc import RpcHolder

from .binding_wrappers import wrap_binding
from .errors import OutsideTestError, no_binding, read_only

__all__ = ["EnvProxy", "EnvWrapper", "RawEnv", "WorkerEnvProxy", "env", "raw_env", "set_resolver"]


class EnvWrapper:
    """What the SDK puts around an `env` (`_EnvWrapper`): its bindings come wrapped.

    Args:
        env: An object with bindings as attributes.
    """

    _env: Any

    def __new__(cls, env: Any = None) -> Any:
        """The same, where it is such a wrapper already, and the shared one around the bindings of the test."""
        if isinstance(env, RawEnv):
            return _shared()
        return env if isinstance(env, EnvWrapper) else object.__new__(cls)

    def __init__(self, env: Any = None) -> None:
        if env is not self and not isinstance(env, RawEnv):
            object.__setattr__(self, "_env", env)

    def __getattr__(self, name: str) -> Any:
        if name == "_env":
            raise AttributeError(name)
        return wrap_binding(getattr(self._env, name))


class EnvProxy(EnvWrapper):
    """The Worker's bindings as attributes. Sources and tests share the one instance `env`."""

    @staticmethod
    def _resolver() -> Resolver | None:
        return get_resolver()

    def __getattr__(self, name: str) -> Any:
        # pytest, inspect and copy ask any object for dunder names; none of them is a binding.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        current = self._resolver()
        if current is None:
            raise OutsideTestError(name)
        try:
            return run_untimed(current.resolve, name)
        except KeyError:
            names = list(current.names())
            if name in names:
                raise  # what a module raised that was imported for it
            raise no_binding(name, names, current.hint()) from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise read_only(name)

    def __delattr__(self, name: str) -> NoReturn:
        raise read_only(name)

    def __dir__(self) -> list[str]:
        current = self._resolver()
        return sorted(current.names()) if current else []

    def __repr__(self) -> str:
        return f"<workers.env: {', '.join(dir(self)) or 'no bindings'}>"


class WorkerEnvProxy(EnvProxy):
    """The bindings of one Worker as attributes, whichever Worker's code runs. For tests.

    Args:
        resolver: The source of the bindings.
    """

    def __init__(self, resolver: Resolver) -> None:
        object.__setattr__(self, "_resolver", lambda: resolver)


class RawEnv(JsObject, js_class="Object"):
    """`env` as JavaScript has it, which a function such as `on_fetch` gets that `handler` does not decorate.

    Its bindings convert neither arguments nor results. Their calls are in no log: `calls_of` does not see them.
    Source: workers-runtime-sdk 1.9.5, where the decorator and the classes alone put a wrapper around it.
    """

    def __getattr__(self, name: str) -> Any:
        value = getattr(env, name)
        return value._binding if isinstance(value, RpcHolder) else value

    def __dir__(self) -> list[str]:
        return dir(env)


def _shared() -> EnvWrapper:
    return env


for _class in (EnvWrapper, EnvProxy, WorkerEnvProxy):
    _class.__name__ = _class.__qualname__ = "_EnvWrapper"
    _class.__module__ = "workers.rpc"
env = EnvProxy()
raw_env = RawEnv()
