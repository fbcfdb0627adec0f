"""The fields of each object, as RabbitMQ 3.10 has them; lists and objects inside are not looked into."""

QUEUE = """
arguments auto_delete backing_queue_status consumer_capacity consumer_utilisation consumers durable
effective_policy_definition exclusive exclusive_consumer_tag garbage_collection head_message_timestamp
memory message_bytes message_bytes_paged_out message_bytes_persistent message_bytes_ram
message_bytes_ready message_bytes_unacknowledged message_stats messages messages_details
messages_paged_out messages_persistent messages_ram messages_ready messages_ready_details
messages_ready_ram messages_unacknowledged messages_unacknowledged_details messages_unacknowledged_ram
name node operator_policy policy recoverable_slaves reductions reductions_details
single_active_consumer_tag state type vhost
"""
QUORUM_QUEUE = """
arguments auto_delete consumer_capacity consumer_utilisation consumers durable effective_policy_definition
exclusive garbage_collection leader members memory message_bytes message_bytes_dlx
message_bytes_persistent message_bytes_ram message_bytes_ready message_bytes_unacknowledged messages
messages_details messages_dlx messages_persistent messages_ram messages_ready messages_ready_details
messages_unacknowledged messages_unacknowledged_details name node online open_files operator_policy policy
reductions reductions_details single_active_consumer_ctag state type vhost
"""
EXCHANGE = "arguments auto_delete durable internal name type user_who_performed_action vhost"
CONNECTION = """
auth_mechanism channel_max channels client_properties connected_at frame_max garbage_collection host name
node peer_cert_issuer peer_cert_subject peer_cert_validity peer_host peer_port port protocol recv_cnt
recv_oct recv_oct_details reductions reductions_details send_cnt send_oct send_oct_details send_pend ssl
ssl_cipher ssl_hash ssl_key_exchange ssl_protocol state timeout type user user_provided_name
user_who_performed_action vhost
"""
CHANNEL = """
acks_uncommitted confirm connection_details consumer_count garbage_collection global_prefetch_count
messages_unacknowledged messages_uncommitted messages_unconfirmed name node number pending_raft_commands
prefetch_count reductions reductions_details state transactional user user_who_performed_action vhost
"""
VHOST = """
cluster_state default_queue_type description message_stats messages messages_details messages_ready
messages_ready_details messages_unacknowledged messages_unacknowledged_details metadata name recv_oct
recv_oct_details send_oct send_oct_details tags tracing
"""
USER = "hashing_algorithm limits name password_hash tags"
OVERVIEW = """
churn_rates cluster_name contexts disable_stats enable_queue_totals erlang_full_version erlang_version
exchange_types listeners management_version message_stats node object_totals product_name product_version
queue_totals rabbitmq_version rates_mode release_series_support_status sample_retention_policies
statistics_db_event_queue
"""
NODE = """
applications auth_mechanisms channel_closed channel_created cluster_links config_files connection_closed
connection_created context_switches contexts db_dir disk_free disk_free_alarm disk_free_limit
enabled_plugins exchange_types fd_total fd_used gc_bytes_reclaimed gc_num io_read_bytes io_read_count
io_sync_avg_time io_sync_count io_write_bytes io_write_count log_files mem_alarm mem_calculation_strategy
mem_limit mem_used metrics_gc_queue_length mnesia_disk_tx_count mnesia_ram_tx_count name net_ticktime
os_pid partitions proc_total proc_used processors queue_created queue_declared queue_deleted
ra_open_file_metrics rates_mode run_queue running sockets_total sockets_used type uptime
"""
CHURN = """
channel_closed channel_created connection_closed connection_created queue_created queue_declared queue_deleted
"""


def missing(fields: str, shown: dict[str, object]) -> set[str]:
    """The fields that an object does not have."""
    return set(fields.split()) - shown.keys()
