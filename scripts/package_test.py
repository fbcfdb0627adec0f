"""Tries the packages in environments that have nothing else: sdist and wheel, with and without a compiler.

`package_test.py [--compiled] PYTHON...`: the sdist where no C compiler works, and with --compiled
a wheel made from the sdist, installed where no compiler works. In each a message goes through a restart.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_COMPILER = {"CC": "/nonexistent/cc"}
# What a build needs, and what people expect in the sources of a package; tests stay in the repository.
IN_SDIST = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "src/supersoniq/amqp/frames.py")


def main(arguments: list[str]) -> None:
    """Raise on the first thing that is wrong."""
    is_compiled = "--compiled" in arguments
    pythons = [argument for argument in arguments if not argument.startswith("--")] or [sys.executable]
    with tempfile.TemporaryDirectory() as work:
        directory = Path(work)
        sdist = source_package(pythons[0], directory)
        for number, python in enumerate(pythons):
            home = directory / str(number)
            try_install(python, home / "sdist", [str(sdist)], WITHOUT_COMPILER, "interpreted (slower")
            if is_compiled:
                wheel = built_wheel(python, home, sdist)
                try_install(python, home / "wheel", [str(wheel)], WITHOUT_COMPILER, "compiled by mypyc")
    print(f"{len(pythons) * (1 + is_compiled)} passed, 0 failed")


def source_package(python: str, directory: Path) -> Path:
    """Make the sdist, and look that it has what it needs and nothing else."""
    builder = environment(python, directory / "builder")
    run(builder / "bin/python", "-m", "pip", "install", "-q", "setuptools>=77")
    code = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"
    run(builder / "bin/python", "-c", code, directory, cwd=ROOT)
    (sdist,) = directory.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in IN_SDIST if name not in names]
    assert not missing, f"{sdist.name} lacks {missing}"
    return sdist


def built_wheel(python: str, home: Path, sdist: Path) -> Path:
    """Compile; takes minutes."""
    builder = environment(python, home / "builder")
    began = time.monotonic()
    run(
        builder / "bin/python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", home, sdist,
        environ={"SUPERSONIQ_COMPILED": "1"},
    )  # fmt: skip
    (wheel,) = home.glob("*.whl")
    print(
        f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, built in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return wheel


def try_install(python: str, home: Path, packages: list[str], environ: dict[str, str], core: str) -> None:
    """Install into a fresh environment, and send a message."""
    began = time.monotonic()
    venv = environment(python, home)
    run(venv / "bin/python", "-m", "pip", "install", "-q", *packages, "pika>=1.3.2", environ=environ)
    version = run(venv / "bin/supersoniq", "version")
    assert f"core: {core}" in version, version
    run(venv / "bin/python", ROOT / "scripts" / "first_message.py")
    about = ", ".join(line for line in version.splitlines() if line.startswith(("python", "core")))
    print(f"{home.name}: {about}: {time.monotonic() - began:.0f} s", flush=True)


def environment(python: str, home: Path) -> Path:
    """A virtual environment that has nothing but pip."""
    run(python, "-m", "venv", home)
    return home


def run(*words: object, environ: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Standard output; what the command said is part of the error when it fails."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SUPERSONIQ_"))
    }
    clean |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"} | (environ or {})
    done = subprocess.run(
        [str(word) for word in words], env=clean, cwd=cwd or "/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
