"""Channels: listed, found by their name, seen by whom they concern."""

from contextlib import closing

from tests.management.cases import NOT_FOUND, Case, play
from tests.management.conftest import Common
from tests.management.waiting import eventually


def quoted(name: object) -> str:
    return str(name).replace(" ", "%20").replace(">", "%3E").replace("(", "%28").replace(")", "%29")


def test_channels_are_listed_with_what_they_do(common: Common) -> None:
    with closing(common.connect()) as connection:
        first, second = connection.channel(), connection.channel()
        first.confirm_delivery()
        first.basic_qos(prefetch_count=10)
        first.queue_declare("q", exclusive=True)
        first.basic_consume("q", lambda *_: None, consumer_tag="tag")
        second.tx_select()
        shown = eventually(
            lambda: [
                each
                for each in [common.api.get(common.path("/vhosts/$V/channels"))]
                if len(each) == 2 and each[0].get("consumer_count") == 1 and each[1].get("transactional")
            ]
        )[0]
        assert [each["number"] for each in shown] == [1, 2]
        assert [each["confirm"] for each in shown] == [True, False]
        assert (shown[0]["prefetch_count"], shown[0]["user"]) == (10, "guest")
        name = shown[0]["name"]
        connection_name = shown[0]["connection_details"]["name"]
        assert name == f"{connection_name} (1)"
        alone = common.api.get(f"/api/channels/{quoted(name)}")
        assert [each["consumer_tag"] for each in alone["consumer_details"]] == ["tag"]
        assert len(common.api.get(f"/api/connections/{quoted(connection_name)}/channels")) == 2


def test_what_is_missing(common: Common) -> None:
    play(
        common,
        [
            Case("GET", "/channels/nope", None, 404, NOT_FOUND),
            Case("GET", "/vhosts/nowhere/channels", None, 404, NOT_FOUND),
        ],
    )


def test_users_see_their_own_channels_only(common: Common) -> None:
    own = common.user("management", ".*")
    with closing(common.connect()) as theirs, closing(common.connect(own.user, "secret")) as mine:
        theirs.channel()
        mine.channel()
        path = common.path("/vhosts/$V/channels?columns=user")
        eventually(lambda: len(common.api.get(path)) == 2)
        assert own.get(path) == [{"user": own.user}]
