"""rabbitmq-plugins' words: what RabbitMQ has as plugins is built in, or is not there."""

from supersoniq.cli.ctl.context import UNAVAILABLE, Command, Ctl

# Plugins whose work the broker does itself.
BUILT_IN = (
    "rabbitmq_auth_mechanism_ssl", "rabbitmq_consistent_hash_exchange", "rabbitmq_delayed_message_exchange",
    "rabbitmq_event_exchange", "rabbitmq_management", "rabbitmq_management_agent",
    "rabbitmq_message_deduplication",
    "rabbitmq_prometheus", "rabbitmq_random_exchange", "rabbitmq_recent_history_exchange",
    "rabbitmq_sharding",
    "rabbitmq_tracing",
)  # fmt: skip


def list_plugins(ctl: Ctl, arguments: list[str]) -> None:
    """list [PATTERN]"""
    import re

    pattern = arguments[0] if arguments else ".*"
    names = [name for name in BUILT_IN if re.search(pattern, name)]
    ctl.banner(f'Listing plugins with pattern "{pattern}" ...')
    if ctl.options.get("minimal") or ctl.is_silent:
        ctl.result({"format": "minimal", "plugins": names}, "\n".join(names))
        return
    version = _version(ctl)
    plugins = [{"enabled": "enabled", "name": name, "running": True, "version": version} for name in names]
    width = max([len(name) for name in names], default=0)
    heading = [
        " Configured: E = explicitly enabled; e = implicitly enabled",
        f" | Status: * = running on {ctl.node}",
        " |/",
    ]
    lines = [f"[E*] {name:<{width}} {version}" for name in names]
    ctl.result({"format": "normal", "plugins": plugins}, "\n".join([*heading, *lines]))


def _version(ctl: Ctl) -> str:
    return str(ctl.api.get("overview", columns="rabbitmq_version")["rabbitmq_version"])


def enable(ctl: Ctl, arguments: list[str]) -> None:
    """enable PLUGIN…"""
    missing = [name for name in arguments if name not in BUILT_IN]
    if missing:
        ctl.fail(f"Plugins are not available here: {', '.join(missing)}", UNAVAILABLE)
    ctl.banner("\n".join([f"Enabling plugins on node {ctl.node}:", *arguments]))
    ctl.message("Nothing needs to be enabled: they are built in")


def disable(ctl: Ctl, arguments: list[str]) -> None:
    """disable PLUGIN…"""
    ctl.banner("\n".join([f"Disabling plugins on node {ctl.node}:", *arguments]))
    ctl.message("Nothing is disabled: what plugins do elsewhere is built in")


def is_enabled(ctl: Ctl, arguments: list[str]) -> None:
    """is_enabled PLUGIN…"""
    names = ", ".join(arguments)
    ctl.banner(f"Asking node {ctl.node} if plugin {names} is enabled...")
    missing = [name for name in arguments if name not in BUILT_IN]
    if missing:
        text = f"Plugin {', '.join(missing)} is not enabled on node {ctl.node}. "
        text += f"Enabled plugins and dependencies: {', '.join(BUILT_IN)}"
        ctl.fail(text, UNAVAILABLE)
    ctl.message(f"Plugin {names} is enabled on node {ctl.node}")


def directories(ctl: Ctl, arguments: list[str]) -> None:
    """directories"""
    ctl.message("There are no plugins, and no directories for them")


COMMANDS = {
    "list": Command(
        list_plugins,
        "list [pattern] [--verbose] [--minimal] [--enabled] [--implicitly-enabled]",
        "Lists what RabbitMQ has as plugins and is built in here",
        0,
        1,
        {"verbose": bool, "minimal": bool, "enabled": bool, "implicitly_enabled": bool},
        {"v": "verbose", "m": "minimal", "e": "enabled", "E": "implicitly_enabled"},
    ),
    "enable": Command(
        enable,
        "enable <plugin1> [ <plugin2>] [--offline] [--online]",
        "Does nothing: they are built in",
        1,
        None,
        {"offline": bool, "online": bool, "all": bool},
    ),
    "disable": Command(
        disable,
        "disable <plugin1>|--all [ <plugin2>] [--offline] [--online]",
        "Does nothing: they are built in",
        0,
        None,
        {"offline": bool, "online": bool, "all": bool},
    ),
    "set": Command(
        disable,
        "set [<plugin>] [--offline] [--online]",
        "Does nothing: they are built in",
        0,
        None,
        {"offline": bool, "online": bool},
    ),
    "is_enabled": Command(is_enabled, "is_enabled <plugin1> [ <plugin2>]", "Says what is there", 1, None),
    "directories": Command(directories, "directories", "Says that there are none"),
}
