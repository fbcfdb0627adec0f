"""What the settings bring, and what control does to clients of a running node."""

import asyncio
from pathlib import Path

import pika
import pytest
from pydantic import SecretStr
from tests.test_embedded import start_of

from supersoniq.assembly.controlled import first_users, first_vhosts, hash_of_first_user
from supersoniq.auth.passwords import hash_password
from supersoniq.config import ConfigError, Settings
from supersoniq.control.actor import Actor
from supersoniq.control.first_start import FirstUser
from supersoniq.embedded import Broker

EVERYTHING = (".*", ".*", ".*")
ADMINISTRATOR = frozenset({"administrator"})
GUEST = FirstUser("guest", b"guest", ADMINISTRATOR, EVERYTHING)
ALICE = Actor("alice")


def test_guest_comes_where_nothing_is_said() -> None:
    assert first_users(Settings()) == [GUEST]
    assert first_vhosts(Settings()) == ["/"]


def test_users_come_instead_of_the_default_one() -> None:
    settings = Settings(users={"ann": SecretStr("s")}, vhosts=["shop"])
    assert first_users(settings) == [FirstUser("ann", b"s", ADMINISTRATOR, EVERYTHING)]
    assert first_vhosts(settings) == ["shop"]


def test_default_user_that_is_asked_for_comes_beside_the_others() -> None:
    settings = Settings(
        users={"ann": SecretStr("s")},
        default_user="bob",
        default_pass=SecretStr("b"),
        default_user_tags=["monitoring"],
        default_permissions=["", "w", "r"],
        vhosts=["shop"],
        default_vhost="main",
    )
    assert first_users(settings)[1:] == [FirstUser("bob", b"b", frozenset({"monitoring"}), ("", "w", "r"))]
    assert first_vhosts(settings) == ["shop", "main"]


def test_definitions_with_users_leave_out_the_default_one_unless_it_is_asked_for() -> None:
    assert first_users(Settings(), has_others=True) == []
    assert [user.name for user in first_users(Settings(default_pass=SecretStr("x")), has_others=True)] == [
        "guest"
    ]


def test_name_and_password_may_be_in_files(tmp_path: Path) -> None:
    name, password = tmp_path / "name", tmp_path / "password"
    name.write_text("carol\n")
    password.write_text("p\u00e4ss w\u00f6rd\r\nignored\n", encoding="utf-8")
    settings = Settings(default_user_file=name, default_pass_file=password, default_pass=SecretStr("other"))
    (user,) = first_users(settings)
    assert (user.name, user.password) == ("carol", "p\u00e4ss w\u00f6rd".encode())


@pytest.mark.parametrize("content", [b"", b"\nsecond line", b"\xff\xfe"])
def test_file_has_to_have_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=str(path)):
        first_users(Settings(default_pass_file=path))


def test_only_passwords_that_are_stored_and_secret_are_hashed_slowly() -> None:
    assert not hash_of_first_user(True, b"secret").is_fast
    assert hash_of_first_user(True, b"guest").is_fast
    assert hash_of_first_user(False, b"secret").is_fast


def connect(broker: Broker, user: str, vhost: str) -> pika.BlockingConnection:
    credentials = pika.PlainCredentials(user, user[0])
    return pika.BlockingConnection(pika.ConnectionParameters(broker.host, broker.port, vhost, credentials))


def close_of(connection: pika.BlockingConnection) -> str:
    """Why a connection is closed."""
    try:
        while True:
            connection.process_data_events(1)
    except pika.exceptions.ConnectionClosedByBroker as error:
        return f"{error.reply_code} {error.reply_text}"


def declare(connection: pika.BlockingConnection, name: str) -> None:
    connection.channel().queue_declare(name, durable=True)


def test_connections_of_what_is_deleted_are_closed_and_others_are_not() -> None:
    async def delete() -> None:
        async with Broker(users={"ann": "a", "bob": "b"}, vhosts=["/", "shop"]) as broker:
            administration = broker.node.administration
            ends = [("ann", "/"), ("ann", "shop"), ("bob", "/")]
            other, shop, bobs = [await asyncio.to_thread(connect, broker, *end) for end in ends]
            await asyncio.to_thread(declare, shop, "q")
            await administration.durable(administration.delete_vhost("shop", ALICE))
            told = await asyncio.to_thread(close_of, shop)
            assert told == "320 CONNECTION_FORCED - vhost 'shop' is deleted"
            await administration.durable(administration.delete_user("bob", ALICE))
            told = await asyncio.to_thread(close_of, bobs)
            assert told == "320 CONNECTION_FORCED - user 'bob' is deleted"
            with pytest.raises(pika.exceptions.ProbableAuthenticationError):
                await asyncio.to_thread(connect, broker, "bob", "/")
            with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
                await asyncio.to_thread(connect, broker, "ann", "shop")
            await asyncio.to_thread(declare, other, "still here")
            await asyncio.to_thread(other.close)

    asyncio.run(delete())


def test_new_clients_are_told_another_cluster_name() -> None:
    async def rename() -> None:
        async with Broker() as broker:
            administration = broker.node.administration
            before = (await asyncio.to_thread(start_of, broker))["cluster_name"]
            assert broker.node.cluster_name == before
            administration.put_global_parameter("cluster_name", "mine", ALICE)
            told = (await asyncio.to_thread(start_of, broker))["cluster_name"]
            assert told == broker.node.cluster_name == "mine"
            administration.delete_global_parameter("cluster_name", ALICE)
            assert (await asyncio.to_thread(start_of, broker))["cluster_name"] == before

    asyncio.run(rename())


def test_what_was_changed_holds_after_a_restart(tmp_path: Path) -> None:
    """A user that was deleted stays away; one that was made may do what it was permitted."""

    async def change() -> None:
        async with Broker(data_dir=tmp_path, users={"ann": "a"}) as broker:
            administration = broker.node.administration
            administration.put_vhost("shop", "", [], "", False, ALICE)
            administration.put_user("bob", hash_password(b"b"), frozenset(), ALICE)
            administration.put_permission("bob", "shop", "^bobs", "", "", ALICE)
            await administration.durable(administration.delete_user("ann", ALICE))

    async def look() -> None:
        async with Broker(data_dir=tmp_path, users={"ann": "a"}) as broker:
            bobs = await asyncio.to_thread(connect, broker, "bob", "shop")
            await asyncio.to_thread(declare, bobs, "bobs-queue")
            with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="configure access"):
                await asyncio.to_thread(declare, bobs, "another")
            await asyncio.to_thread(bobs.close)
            with pytest.raises(pika.exceptions.ProbableAuthenticationError):
                await asyncio.to_thread(connect, broker, "ann", "/")

    asyncio.run(change())
    asyncio.run(look())
