"""Which words rabbitmqctl and its kin have, and in which module each is: only that one is imported."""

from importlib import import_module

from supersoniq.cli.ctl.context import Command

# The words of each module, and of each tool the modules.
WORDS = {
    "users": (
        "add_user authenticate_user change_password clear_password delete_user hash_password "
        "list_users set_user_tags"
    ),
    "vhosts": (
        "add_vhost delete_vhost list_vhosts set_vhost_tags update_vhost_metadata restart_vhost "
        "trace_on trace_off"
    ),
    "permissions": (
        "set_permissions clear_permissions list_permissions list_user_permissions "
        "set_topic_permissions clear_topic_permissions list_topic_permissions "
        "list_user_topic_permissions"
    ),
    "policies": (
        "set_policy clear_policy list_policies set_operator_policy clear_operator_policy "
        "list_operator_policies"
    ),
    "limits": (
        "set_vhost_limits clear_vhost_limits list_vhost_limits set_user_limits clear_user_limits "
        "list_user_limits"
    ),
    "parameters": (
        "set_parameter clear_parameter list_parameters set_global_parameter clear_global_parameter "
        "list_global_parameters"
    ),
    "listings": (
        "list_queues list_exchanges list_bindings list_connections list_channels list_consumers "
        "list_unresponsive_queues"
    ),
    "actions": (
        "purge_queue delete_queue close_connection close_all_connections close_all_user_connections "
        "export_definitions import_definitions"
    ),
    "node": (
        "status cluster_status environment report ping await_startup await_online_nodes wait "
        "version node_health_check list_feature_flags enable_feature_flag"
    ),
    "settings": (
        "set_cluster_name set_vm_memory_high_watermark set_disk_free_limit set_log_level stop "
        "shutdown stop_app start_app rotate_logs force_gc"
    ),
    "refused": (
        "eval eval_file exec reset force_reset force_boot join_cluster forget_cluster_node "
        "change_cluster_node_type rename_cluster_node update_cluster_nodes sync_queue "
        "cancel_sync_queue encode decode suspend_listeners resume_listeners"
    ),
    "diagnostics": (
        "alarms check_alarms check_local_alarms check_port_connectivity check_port_listener "
        "check_protocol_listener check_running check_virtual_hosts check_certificate_expiration "
        "is_running is_booting listeners server_version memory_breakdown log_tail log_location "
        "erlang_version"
    ),
    "plugins": "list enable disable is_enabled directories set",
    "queues": "peek quorum_status check_if_node_is_quorum_critical rebalance",
}
SHARED = tuple(module for module in WORDS if module != "plugins")
TOOLS = {
    "rabbitmqctl": SHARED,
    "rabbitmq-diagnostics": SHARED,
    "rabbitmq-queues": SHARED,
    "rabbitmq-plugins": ("plugins", "node"),
}


def words_of(tool: str) -> dict[str, str]:
    """The words that a tool has, and the module of each."""
    return {word: module for module in TOOLS[tool] for word in WORDS[module].split()}


def command_of(tool: str, word: str) -> Command | None:
    """The command; None when the tool has none of that name."""
    module = words_of(tool).get(word)
    if module is None:
        return None
    commands: dict[str, Command] = import_module(f"supersoniq.cli.ctl.{module}").COMMANDS
    return commands[word]
