"""The management API of a node: which sockets the settings ask for."""

from typing import TYPE_CHECKING

from supersoniq.config import Settings
from supersoniq.management.context import ManagementContext
from supersoniq.management.serving import Serving

if TYPE_CHECKING:
    from supersoniq.tls.certificates import Certificates


async def open_api(
    settings: Settings, management: ManagementContext, certificates: "Certificates | None"
) -> Serving:
    """Return the API, whose sockets listen; raises OSError."""
    serving = Serving(management)
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
