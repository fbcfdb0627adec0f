"""The tree keeps its shape: sizes, docstrings, a test file per module, and the house style."""

import ast
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "supersoniq"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OTHERS = sorted(
    [path for name in ("benchmarks", "examples", "scripts") for path in (ROOT / name).rglob("*.py")]
    + [ROOT / "setup.py"]
)
EVERYTHING = [*SOURCES, *TESTS, *OTHERS]

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

# The places where an unexpected error is turned into a log line instead of passed on.
CATCHES_ALL = ("server/", "session/connection.py", "storage/worker.py")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef


@functools.cache
def nodes_of(path: Path) -> list[ast.AST]:
    """All of a file's syntax tree, in no order."""
    return list(ast.walk(parse(path)))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).as_posix()


def check(rule: Callable[[Path], object], paths: list[Path]) -> None:
    """Apply a rule, which returns what is wrong with a file, to each of `paths`.

    One test for all files: thousands of parameters take longer than the rules.
    """
    wrong = [f"{name_of(path)}: {problem}" for path in paths if (problem := rule(path))]
    assert not wrong, "\n".join(wrong)


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


def test_files_are_short() -> None:
    def rule(path: Path) -> str:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        return f"{lines} lines: split it by what it owns" if lines > FILE_LINES_MAX else ""

    check(rule, EVERYTHING)


def test_functions_are_short() -> None:
    def rule(path: Path) -> list[str]:
        return [
            f"{node.name} has {lines} lines, line {node.lineno}"
            for node in nodes_of(path)
            if isinstance(node, Function)
            and node.end_lineno is not None
            and (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_MAX
        ]

    check(rule, EVERYTHING)


def test_modules_say_what_they_own() -> None:
    def rule(path: Path) -> str:
        if path.name == "__init__.py" and not path.read_text(encoding="utf-8"):
            return ""  # an empty package of tests
        first = (ast.get_docstring(parse(path)) or "").partition("\n")[0]
        return "" if len(first) >= 10 else "the first line of the module's docstring says what it owns"

    check(rule, EVERYTHING)


def test_public_names_have_docstrings() -> None:
    def rule(path: Path) -> list[str]:
        return [
            f"{node.name}, line {node.lineno}"
            for node in public_definitions(parse(path).body)
            if ast.get_docstring(node) is None and not needs_no_docstring(node)
        ]

    check(rule, SOURCES)


def test_modules_have_a_test_file() -> None:
    def rule(path: Path) -> str:
        expected = ROOT / "tests" / path.relative_to(PACKAGE).parent / f"test_{path.name}"
        return "" if expected.exists() else f"write {expected.relative_to(ROOT)}"

    check(rule, [path for path in SOURCES if not path.name.startswith("__")])


def test_things_to_do_have_an_issue() -> None:
    marks = re.compile(r"#.*\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b(?!.*#\d+)")

    def rule(path: Path) -> list[str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if marks.search(line)]

    check(rule, EVERYTHING)


def test_unexpected_errors_are_not_swallowed() -> None:
    """Catch what you expect; the rest belongs to the places that CATCHES_ALL names."""

    def rule(path: Path) -> list[str]:
        return [
            f"line {node.lineno}"
            for node in nodes_of(path)
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
            and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        ]

    check(rule, [path for path in SOURCES if not name_of(path).startswith(CATCHES_ALL)])


def test_names_say_what_is_done() -> None:
    vague = re.compile(r"(get|do|handle|process)_|.*(^|_)(info|utils?|helpers?|manager)($|_)")
    # Names of typer's, pydantic's and asyncio's.
    allowed = {"get_command", "get_field_value", "get_extra_info", "get_write_buffer_size"}

    def rule(path: Path) -> list[str]:
        found = [
            f"{node.name}, line {node.lineno}"
            for node in nodes_of(path)
            if isinstance(node, Documented) and vague.match(node.name.lower()) and node.name not in allowed
        ]
        if vague.fullmatch(path.stem):
            found.append("a module is named for what it owns")
        return found

    check(rule, SOURCES)


def test_core_does_not_log_and_nothing_prints_outside_commands() -> None:
    def rule(path: Path) -> list[str]:
        nodes, name = nodes_of(path), name_of(path)
        found: list[str] = []
        if name.startswith(("amqp/", "broker/")):
            imports = [node for node in nodes if isinstance(node, ast.Import)]
            found += [alias.name for node in imports for alias in node.names if alias.name == "logging"]
        if not name.startswith("cli/"):
            calls = [node for node in nodes if isinstance(node, ast.Call)]
            found += [f"print in line {call.lineno}" for call in calls if ast.unparse(call.func) == "print"]
        return found

    check(rule, [path for path in SOURCES if path.name != "app.py"])
