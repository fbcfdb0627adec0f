"""The tree keeps its shape: sizes, docstrings, a test file per module, and the house style."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "supersoniq"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OTHERS = sorted([*(ROOT / "benchmarks").rglob("*.py"), ROOT / "setup.py"])
EVERYTHING = [*SOURCES, *TESTS, *OTHERS]

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

# The places where an unexpected error is turned into a log line instead of passed on.
CATCHES_ALL = ("server/", "session/connection.py", "storage/worker.py")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).as_posix()


sources = pytest.mark.parametrize("path", SOURCES, ids=name_of)
everything = pytest.mark.parametrize("path", EVERYTHING, ids=name_of)


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def public_definitions(body: list[ast.stmt]) -> Iterator[Documented]:
    """Public functions and classes, with the public methods of public classes."""
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


def needs_no_docstring(node: Documented) -> bool:
    """An override, an overload and a setter are documented where their base, implementation or getter is."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"override", "overload", "setter"})


@everything
def test_file_is_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES_MAX, f"{lines} lines: split it by what it owns"


@everything
def test_functions_are_short(path: Path) -> None:
    long = [
        f"{node.name} has {lines} lines, line {node.lineno}"
        for node in ast.walk(parse(path))
        if isinstance(node, Function)
        and node.end_lineno is not None
        and (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long


@everything
def test_module_says_what_it_owns(path: Path) -> None:
    if path.name == "__init__.py" and not path.read_text(encoding="utf-8"):
        pytest.skip("an empty package of tests")
    first = (ast.get_docstring(parse(path)) or "").partition("\n")[0]
    assert len(first) >= 10, "the first line of the module's docstring says what it owns"


@sources
def test_public_names_have_docstrings(path: Path) -> None:
    bare = [
        f"{node.name}, line {node.lineno}"
        for node in public_definitions(parse(path).body)
        if ast.get_docstring(node) is None and not needs_no_docstring(node)
    ]
    assert not bare


@pytest.mark.parametrize("path", [p for p in SOURCES if not p.name.startswith("__")], ids=name_of)
def test_module_has_a_test_file(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    expected = ROOT / "tests" / relative.parent / f"test_{relative.name}"
    assert expected.exists(), f"write {expected.relative_to(ROOT)}"


@everything
def test_things_to_do_have_an_issue(path: Path) -> None:
    marks = re.compile(r"#.*\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b(?!.*#\d+)")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if marks.search(line)]


@sources
def test_unexpected_errors_are_not_swallowed(path: Path) -> None:
    if name_of(path).startswith(CATCHES_ALL):
        return
    broad = [
        f"line {node.lineno}"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert not broad, "catch what you expect; the rest belongs to server/"


@sources
def test_names_say_what_is_done(path: Path) -> None:
    vague = re.compile(r"(get|do|handle|process)_|.*(^|_)(info|utils?|helpers?|manager)($|_)")
    found = [
        f"{node.name}, line {node.lineno}"
        for node in ast.walk(parse(path))
        if isinstance(node, Documented) and vague.match(node.name.lower())
    ]
    # Names of typer's, pydantic's and asyncio's.
    allowed = {"get_command", "get_field_value", "get_extra_info", "get_write_buffer_size"}
    assert not [name for name in found if name.partition(",")[0] not in allowed]
    assert not vague.fullmatch(path.stem), "a module is named for what it owns"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "app.py"], ids=name_of)
def test_core_does_not_log_and_nothing_prints_outside_commands(path: Path) -> None:
    tree, name = parse(path), name_of(path)
    if name.startswith(("amqp/", "broker/")):
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
        imported = {alias.name for node in imports for alias in node.names}
        assert "logging" not in imported
    if not name.startswith("cli/"):
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not [call.lineno for call in calls if ast.unparse(call.func) == "print"]
