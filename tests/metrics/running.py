"""Running brokers, as metrics see them."""

from supersoniq import Broker
from supersoniq.metrics.metering import Metering


def metering_of(broker: Broker) -> Metering:
    metering = broker.node.metering
    assert metering is not None
    return metering
