"""Images for the container tests: the broker's, on a base that is pulled or made from Debian's packages."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.container.engine import CACHE, ROOT, Engine, EngineError, install

BASE = "supersoniq-test/base"
BROKER = "supersoniq-test/broker"
BUILD_SECONDS = 1800
DEBIAN = "bookworm"


def base_image(engine: Engine) -> str:
    """BASE_IMAGE of the environment; else the Dockerfile's own if it can be had; else one made here."""
    if chosen := os.environ.get("BASE_IMAGE"):
        return chosen
    if engine.run("images", "-q", BASE):
        return BASE
    if not engine.is_own:
        default = _default_base()
        try:
            engine.run("pull", "-q", default, timeout=BUILD_SECONDS)
        except EngineError:
            pass
        else:
            return default
    _import_base(engine)
    return BASE


def broker_image(engine: Engine) -> str:
    """Build the Dockerfile as it stands; layers that did not change are taken from the engine's cache.

    BROKER_IMAGE of the environment is taken instead where it is set: one that was built before.
    """
    if built := os.environ.get("BROKER_IMAGE"):
        return built
    # SUPERSONIQ_PURE in the environment builds an interpreted image, for work on the tests themselves.
    pure = os.environ.get("SUPERSONIQ_PURE", "")
    arguments = (
        ["--build-arg", "SUPERSONIQ_COMPILED=", "--build-arg", f"SUPERSONIQ_PURE={pure}"] if pure else []
    )
    base = ["--build-arg", f"BASE_IMAGE={base_image(engine)}"]
    engine.run(
        "build", "-q", "--network", "host", *base, *arguments, "-t", BROKER, ".", timeout=BUILD_SECONDS
    )
    return BROKER


def derived_image(engine: Engine, name: str, dockerfile: Path) -> str:
    """Build an image of the tests' own, such as one with Prometheus, on the same base."""
    base = ["--build-arg", f"BASE_IMAGE={base_image(engine)}"]
    file = ["-f", str(dockerfile), str(dockerfile.parent)]
    engine.run("build", "-q", "--network", "host", *base, "-t", name, *file, timeout=BUILD_SECONDS)
    return name


def _default_base() -> str:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("ARG BASE_IMAGE=")).partition("=")[2]


def _import_base(engine: Engine) -> None:
    """A minimal Debian with Python, from where this machine has its packages, and what pip must know here."""
    install("debootstrap")
    system = CACHE / "base"
    shutil.rmtree(system, ignore_errors=True)
    packages = "python3,python3-venv,ca-certificates"
    words = ["debootstrap", "--variant=minbase", f"--include={packages}", DEBIAN, str(system)]
    mirror = _mirror()
    subprocess.run([*words, *([mirror] if mirror else [])], check=True, stdout=subprocess.DEVNULL)
    for cached in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(system / cached)
        (system / cached / "partial").mkdir(parents=True)
    for given in ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf"):
        if Path(given).exists():
            shutil.copy(given, system / given[1:])
    archive = CACHE / "base.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(system, ".")
    engine.run("import", str(archive), BASE, timeout=BUILD_SECONDS)
    archive.unlink()
    shutil.rmtree(system)


def _mirror() -> str | None:
    """Where this machine has its Debian packages from; None for debootstrap's default."""
    for path in sorted(Path("/etc/apt").glob("**/*.sources")) + sorted(Path("/etc/apt").glob("**/*.list")):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[:1] in (["URIs:"], ["deb"]):
                return next((word for word in words if "://" in word), None)
    return None
