"""HTTP of a node, the management API and the pages for Prometheus: which sockets the settings ask for."""

import functools
from typing import TYPE_CHECKING

from supersoniq.config import Settings
from supersoniq.management.context import ManagementContext, NodeFacts
from supersoniq.management.serving import Load, Serving, api_of

if TYPE_CHECKING:
    from supersoniq.tls.certificates import Certificates


async def open_api(
    settings: Settings, management: ManagementContext, certificates: "Certificates | None"
) -> Serving:
    """Return the API, whose sockets listen; raises OSError."""
    serving = Serving(functools.partial(api_of, management))
    try:
        if settings.management == "on":
            hosts = settings.management_host or settings.host
            await serving.listen(hosts, settings.management_port)
            if certificates is not None:
                await serving.listen(hosts, settings.management_tls_port, certificates.following_context)
        if settings.management != "off" and settings.data_dir is not None:
            serving.listen_locally(settings.data_dir)
    except OSError:
        serving.close()
        raise
    management.facts.addresses["http"] = serving.addresses
    management.facts.addresses["https"] = serving.tls_addresses
    return serving


async def open_prometheus(
    settings: Settings, load: Load, facts: NodeFacts, certificates: "Certificates | None"
) -> Serving:
    """Return the pages for Prometheus, whose sockets listen if the settings want that; raises OSError."""
    serving = Serving(load)
    if settings.prometheus == "on":
        try:
            hosts = settings.prometheus_host or settings.host
            await serving.listen(hosts, settings.prometheus_port)
            if certificates is not None:
                await serving.listen(hosts, settings.prometheus_tls_port, certificates.following_context)
        except OSError:
            serving.close()
            raise
    facts.addresses["http/prometheus"] = serving.addresses
    facts.addresses["https/prometheus"] = serving.tls_addresses
    return serving
