"""`supersoniq config`: the settings that `serve` would use with the same flags, and where each came from."""

import json
import os
import sys
from typing import Annotated, Any

import typer

from supersoniq.cli.app import fail
from supersoniq.cli.serve import (
    ConfigOption,
    DataDirOption,
    HostOption,
    LogFormatOption,
    LogLevelOption,
    PortOption,
    RabbitMQConfOption,
)
from supersoniq.config import ConfigError, Loaded, Settings, default_data_dir, load

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def config(
    host: HostOption = None,
    port: PortOption = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    rabbitmq_conf: RabbitMQConfOption = None,
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show each setting, its effective value and where it came from. Passwords are masked."""
    flags = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "rabbitmq_conf": rabbitmq_conf,
        "log_level": log_level,
        "log_format": log_format,
    }
    try:
        loaded = load(flags, config_file=config)
    except ConfigError as error:
        fail(str(error), 2)
    for note in loaded.notes:
        print(note, file=sys.stderr)
    values = loaded.shown()
    if values["data_dir"] is None:
        values["data_dir"] = str(default_data_dir(os.environ))
    if as_json:
        json.dump(
            {key: {"value": value, "origin": loaded.origins[key]} for key, value in values.items()},
            sys.stdout,
            indent=2,
        )
        print()
    else:
        _print_table(loaded, values)


def _print_table(loaded: Loaded, values: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    table.add_column("meaning", style="dim")
    for key, value in values.items():
        origin = loaded.origins[key]
        shown = value if isinstance(value, str) else json.dumps(value)
        style = "" if origin == "default" else "bold"
        table.add_row(key, shown, origin, Settings.model_fields[key].description, style=style)
    # A pipe has no width of its own: this one is wide enough for grep to find a setting whole.
    width = None if sys.stdout.isatty() else 250
    Console(markup=False, highlight=False, width=width).print(table)
