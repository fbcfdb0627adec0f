"""Definitions: exported, imported, and compared with what there is."""

import asyncio
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from supersoniq.definitions_file.document import Document, DocumentError, parse_document
from supersoniq.definitions_file.export import export_node, export_vhost
from supersoniq.definitions_file.importing import Import
from supersoniq.definitions_file.passwords import password_hashes
from supersoniq.management.bodies import read_octets
from supersoniq.management.call import Call, answer, done
from supersoniq.management.encoding import encode
from supersoniq.management.errors import bad_request, missing
from supersoniq.management.listing import Pieces
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.overview import PRODUCT

DOWNLOAD: Final = {"download": "name of the file as which a browser is to keep it"}
DRY_RUN: Final = {"dry_run": "`true`: nothing is imported, and the answer says what would be done"}
DOCUMENT: Final = {
    name: {"type": "array", "items": {"type": "object"}}
    for name in (
        "users",
        "vhosts",
        "permissions",
        "topic_permissions",
        "parameters",
        "global_parameters",
        "policies",
        "queues",
        "exchanges",
        "bindings",
    )
}


async def _exported(call: Call, document: dict[str, object]) -> Response:
    """The document, encoded in slices."""
    pieces: list[bytes] = []
    for name, value in document.items():
        pieces += [b"," if pieces else b"{", encode(name), b":"]
        if isinstance(value, list):
            pieces.append(b"[")
            for number, part in enumerate(value):
                pieces += [b"," if number else b"", encode(part)]
                await call.slices.breathe()
            pieces.append(b"]")
        else:
            pieces.append(encode(value))
    response = Pieces([*pieces, b"}"], call.slices)
    name = call.asked("download")
    if name:
        response.headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


async def export(call: Call) -> Response:
    """All that the node has."""
    version = call.management.facts.rabbitmq_version
    return await _exported(call, export_node(call.management.administration, PRODUCT, version))


async def vhost_export(call: Call) -> Response:
    """What one virtual host has."""
    if call.name("vhost") not in call.management.vhosts:
        raise bad_request("vhost_not_found")
    version = call.management.facts.rabbitmq_version
    return await _exported(call, export_vhost(call.management.administration, call.name("vhost"), version))


async def import_all(call: Call) -> Response:
    """Put a document into the node."""
    return await _imported(call, None)


async def vhost_import(call: Call) -> Response:
    """Put a document into one virtual host."""
    name = call.name("vhost")
    if name not in call.management.vhosts:
        raise missing("vhost_not_found")
    return await _imported(call, name)


async def _imported(call: Call, vhost: str | None) -> Response:
    data = await read_octets(call.request)
    administration = call.management.administration
    try:
        document = await asyncio.to_thread(_parsed, data, vhost)
        known = {user.name: user.password for user in administration.users}
        hashes = await asyncio.to_thread(password_hashes, document, known)
        work = Import(administration, document, hashes)
        if call.is_asked("dry_run"):
            return answer([each._asdict() for each in work.differences(call.caller.actor)])
        imported = work.run(call.caller.actor)
    except DocumentError as error:
        text = str(error)
        is_no_json = text.startswith("not JSON:") or text == "not a JSON object"
        raise bad_request("failed_to_parse_json" if is_no_json else text) from None
    await call.safe(imported.sequence)
    if not imported.leftovers:
        return done()
    return answer({"not_honoured": [leftover._asdict() for leftover in imported.leftovers]})


def _parsed(data: bytes, vhost: str | None) -> Document:
    return parse_document(data if data.strip() else b"{}", vhost)


def _routes() -> tuple[Route, ...]:
    admin = Level.ADMINISTRATOR
    routes: list[Route] = []
    for path in ("/definitions", "/all-configuration"):
        routes += [
            Route("GET", path, export, "All definitions", admin, query=DOWNLOAD),
            Route("POST", path, import_all, "Import definitions", admin, query=DRY_RUN, body=DOCUMENT),
        ]
    one = "/definitions/{vhost}"
    return (
        *routes,
        Route("GET", one, vhost_export, "Definitions of a virtual host", admin, query=DOWNLOAD),
        Route("POST", one, vhost_import, "Import into a virtual host", admin, query=DRY_RUN, body=DOCUMENT),
    )


ROUTES: Final = _routes()
