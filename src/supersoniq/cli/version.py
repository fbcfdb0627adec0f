"""`supersoniq version`: what is installed, and whether its core is compiled."""

import importlib.machinery
import importlib.util
import platform

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)

# The module that stands for the compiled ones: they are all compiled, or none is.
CORE = "supersoniq.amqp.frames"


@app.command()
def version() -> None:
    """Print the version, the Python and event loop in use, and if the core is compiled."""
    import supersoniq

    print(f"supersoniq {supersoniq.__version__}")
    print(f"python: {platform.python_implementation()} {platform.python_version()} on {platform.system()}")
    print(f"core: {core()}")
    print(f"event loop: {event_loop()}")


def core() -> str:
    """How the core runs, for people."""
    if is_compiled():
        return "compiled by mypyc"
    return "interpreted (slower: no C compiler at install)"


def is_compiled() -> bool:
    """True when importing the core loads machine code; finds that out without importing it."""
    spec = importlib.util.find_spec(CORE)
    return spec is not None and isinstance(spec.loader, importlib.machinery.ExtensionFileLoader)


def event_loop() -> str:
    """The event loop that `serve` takes."""
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
