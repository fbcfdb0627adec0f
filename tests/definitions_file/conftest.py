"""What the tests of definitions begin with."""

import pytest
from tests.control.site import Site

from supersoniq.control.administration import Administration


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def administration(site: Site) -> Administration:
    """The administration of `site`, with `/`, `shop`, guest and bob."""
    return site.furnish()
