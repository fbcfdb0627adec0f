"""The fields of connections."""

from tests.management.conftest import Common
from tests.management.views.fields import CONNECTION, missing
from tests.management.waiting import eventually


def test_connection_has_all_fields(common: Common) -> None:
    with common.connect():
        path = common.path("/vhosts/$V/connections")
        shown = eventually(lambda: [each for each in common.api.get(path) if "recv_oct" in each])[0]
        assert missing(CONNECTION, shown) == set()
        assert (shown["auth_mechanism"], shown["channel_max"], shown["timeout"]) == ("PLAIN", 2047, 60)
        assert shown["client_properties"]["connection_name"] == "contract"
        assert (shown["ssl"], shown["state"], shown["type"]) == (False, "running", "network")
