"""The reference names what there is: error codes, settings, and what is generated for the site."""

import importlib.util
import re
from pathlib import Path

from supersoniq.amqp import errors
from supersoniq.config import Settings
from supersoniq.management.resources.index import MODULES

ROOT = Path(__file__).parent.parent.parent
_spec = importlib.util.spec_from_file_location("generated", ROOT / "scripts" / "site" / "generated.py")
assert _spec is not None
assert _spec.loader is not None
generated = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generated)


def test_error_codes_are_those_of_the_broker() -> None:
    text = (ROOT / "docs" / "reference" / "error-codes.md").read_text(encoding="utf-8")
    listed = {(int(code), name) for code, name in re.findall(r"^\| (\d+) \| `([A-Z_]+)`", text, re.MULTILINE)}
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    kinds = [each for each in classes if issubclass(each, errors.AMQPError) and "reply_code" in vars(each)]
    assert listed == {(kind.reply_code, kind.name) for kind in kinds} | {(312, "NO_ROUTE")}


def test_every_setting_is_in_the_table_of_settings() -> None:
    table = generated.settings()
    assert [
        name for name in Settings.model_fields if f"| `{name}` | `SUPERSONIQ_{name.upper()}` |" not in table
    ] == []


def test_no_password_is_in_the_table_of_settings() -> None:
    assert "| `default_pass` | `SUPERSONIQ_DEFAULT_PASS` | `**********` |" in generated.settings()


def test_every_command_has_its_help() -> None:
    shown = generated.commands()
    for command in ("serve", "ping", "perf throughput", "backup", "queues list", "doctor"):
        assert f"## supersoniq {command}\n\n```text\nUsage: supersoniq {command} " in shown


def test_every_resource_of_the_api_has_its_paths() -> None:
    shown = generated.http_api()
    assert [name for name in MODULES if f"/api/{name}" not in shown] == []
    assert "| `GET /api/whoami` |" in shown


def test_pages_have_marks_for_all_that_is_generated() -> None:
    pages = (ROOT / "docs" / "reference").glob("*.md")
    marks = [
        mark for page in pages for mark in re.findall(r"<!-- generated: ([a-z-]+) -->", page.read_text())
    ]
    assert sorted(marks) == sorted(generated.GENERATORS)
