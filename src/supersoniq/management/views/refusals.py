"""Refusals as the API shows them."""

from typing import Final

from supersoniq.amqp import spec
from supersoniq.management.views.common import Fields, iso_time
from supersoniq.session.refusals import Refusal

CLASSES: Final = ("CONNECTION", "CHANNEL", "ACCESS", "EXCHANGE", "QUEUE", "BASIC", "CONFIRM", "TX")


def _method_names() -> dict[str, str]:
    """Return `queue.declare` for `50.10`, and so on."""
    names = {}
    for constant, number in vars(spec).items():
        class_name, _, method = constant.partition("_")
        if class_name in CLASSES and method:
            name = f"{class_name}.{method.replace('_', '-')}".lower()
            names[f"{number >> 16}.{number & 0xFFFF}"] = name
    return names


NAMES: Final = _method_names()


def refusal_view(refusal: Refusal) -> Fields:
    """Return one; for a request to the API the method is that of HTTP, with its path."""
    return {
        "time": iso_time(refusal.at_ms),
        "user": refusal.user,
        "address": refusal.address,
        "connection": refusal.connection,
        "client": refusal.client_name,
        "vhost": refusal.vhost,
        "channel": refusal.channel or None,
        "reply_code": refusal.reply_code,
        "reply_text": refusal.reply_text,
        "method": refusal.method,
        "method_name": NAMES.get(refusal.method, refusal.method if " " in refusal.method else None),
    }
