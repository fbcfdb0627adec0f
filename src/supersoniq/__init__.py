"""SupersoniQ: an AMQP 0-9-1 message broker. `Broker` runs one inside this process; nothing here is global."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supersoniq.embedded import Broker

    __version__: str

__all__ = ["Broker", "__version__"]


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: printing a help must not load the broker."""
    if name == "Broker":
        from supersoniq.embedded import Broker

        return Broker
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("supersoniq")
        except PackageNotFoundError:  # run from a source tree that was never installed
            return "0.0.0"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
