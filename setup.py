"""Which modules mypyc compiles; everything else about the package is in pyproject.toml.

Without a C compiler, or when compiling fails, the package is installed interpreted: it works the same,
slower, and says so at start. `SUPERSONIQ_PURE=1` asks for that; `SUPERSONIQ_COMPILED=1` makes it an error.
"""

import glob
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HOT = [
    "src/supersoniq/amqp/*.py",
    "src/supersoniq/broker/**/*.py",
    "src/supersoniq/client/*.py",
    "src/supersoniq/management/views/queues.py",
    "src/supersoniq/metrics/details.py",
    "src/supersoniq/metrics/sampler.py",
    "src/supersoniq/perf/batches.py",
    "src/supersoniq/perf/engine.py",
    "src/supersoniq/perf/histogram.py",
    "src/supersoniq/server/clock.py",
    "src/supersoniq/server/handshakes.py",
    "src/supersoniq/server/pulse.py",
    "src/supersoniq/server/tls_transport.py",
    "src/supersoniq/server/transport.py",
    "src/supersoniq/session/*.py",
    "src/supersoniq/storage/before.py",
    "src/supersoniq/storage/checksums.py",
    "src/supersoniq/storage/commit.py",
    "src/supersoniq/storage/contents.py",
    "src/supersoniq/storage/definitions.py",
    "src/supersoniq/storage/direct.py",
    "src/supersoniq/storage/disk.py",
    "src/supersoniq/storage/gaps.py",
    "src/supersoniq/storage/journal.py",
    "src/supersoniq/storage/journal_file.py",
    "src/supersoniq/storage/memory.py",
    "src/supersoniq/storage/places.py",
    "src/supersoniq/storage/queue_store.py",
    "src/supersoniq/storage/ranges.py",
    "src/supersoniq/storage/records.py",
    "src/supersoniq/storage/recovery.py",
    "src/supersoniq/storage/retirement.py",
    "src/supersoniq/storage/scan.py",
    "src/supersoniq/storage/segments.py",
    "src/supersoniq/storage/share.py",
    "src/supersoniq/storage/store.py",
    "src/supersoniq/storage/survey.py",
]

PURE = os.environ.get("SUPERSONIQ_PURE", "") not in ("", "0")
COMPILED = os.environ.get("SUPERSONIQ_COMPILED", "") not in ("", "0")


def hot_paths() -> list[str]:
    """The files of HOT that exist, sorted, without the packages' `__init__`."""
    found = {path for pattern in HOT for path in glob.glob(pattern, recursive=True)}
    return sorted(path for path in found if os.path.basename(path) != "__init__.py")


def interpreted(reason: object) -> None:
    """Say on stderr that the core stays interpreted; raises instead when SUPERSONIQ_COMPILED forbids it."""
    if COMPILED:
        raise SystemExit(f"supersoniq: cannot compile: {reason}")
    print(f"supersoniq: installing interpreted, which is slower: {reason}", file=sys.stderr)


def extensions() -> list[Extension]:
    """What mypyc makes of the hot modules; empty when they are to stay interpreted."""
    if set(sys.argv) & {"dist_info", "egg_info", "sdist"}:
        return []  # pip asks for the metadata first; compiling for that would take the time twice
    paths = hot_paths()
    if PURE or not paths:
        interpreted("SUPERSONIQ_PURE is set" if PURE else "no module is to be compiled")
        return []
    try:
        from mypyc.build import mypycify  # noqa: PLC0415  (not needed for an interpreted install)

        # The other modules want packages that the environment of a build does not have: no word about them.
        options = ["--follow-imports=silent"]
        return mypycify([*options, *paths], opt_level="3", multi_file=True, group_name="supersoniq")
    # mypyc ends with SystemExit when mypy finds an error.
    except (ImportError, SystemExit) as error:
        interpreted(error)
        return []


class OptionalBuild(build_ext):
    """Compiles on all cores, and leaves the package interpreted when the compiler is missing or fails."""

    def run(self) -> None:
        """Build all extensions, or none: half of them would not import."""
        try:
            super().run()
        except Exception as error:
            for output in self.get_outputs():
                Path(output).unlink(missing_ok=True)
            self.extensions = []
            interpreted(error)

    def build_extensions(self) -> None:
        """Try the compiler on one line first: mypyc's tens of thousands would fail less legibly."""
        if self.extensions:
            with tempfile.TemporaryDirectory() as directory:
                probe = Path(directory) / "probe.c"
                probe.write_text("#include <Python.h>\nint probe(void) { return 0; }\n")
                self.compiler.compile([str(probe)], output_dir=directory)
            self._compile_files_in_parallel()
        super().build_extensions()

    def _compile_files_in_parallel(self) -> None:
        """mypyc's C files are few extensions of many files, and setuptools compiles those one by one."""
        compiler = self.compiler
        one_by_one = compiler.compile

        def compile_all(sources: list[str], *args: object, **options: object) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                objects = pool.map(lambda source: one_by_one([source], *args, **options), sources)
                return [name for names in objects for name in names]

        compiler.compile = compile_all


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild})
