"""Permissions: what each user may configure, write and read in each virtual host, as RabbitMQ has them."""

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from supersoniq import patterns

# What the default exchange, which has no name, is called in patterns.
DEFAULT_EXCHANGE: Final = b"amq.default"

# What RabbitMQ's regular expressions have and Python's have not.
_CLASSES: Final = {
    b"alnum": b"A-Za-z0-9",
    b"alpha": b"A-Za-z",
    b"digit": b"0-9",
    b"lower": b"a-z",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb"\s",
    b"upper": b"A-Z",
    b"word": rb"\w",
    b"xdigit": b"0-9A-Fa-f",
}
_CLASS: Final = re.compile(rb"\[:(" + b"|".join(_CLASSES) + rb"):\]")
_END: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\z")


class InvalidPattern(ValueError):
    """A pattern that cannot be used; `reason` says what is wrong with it, `at` where, in octets."""

    def __init__(self, pattern: str, reason: str, at: int) -> None:
        super().__init__(f"invalid pattern {pattern!r}: {reason} at position {at}")
        self.pattern = pattern
        self.reason = reason
        self.at = at


class Pattern:
    """A regular expression that matches anywhere in a name unless it says where; an empty one nowhere."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        try:
            # An empty one would match everywhere; RabbitMQ takes it for ^$, too.
            self._expression = _compiled(pattern.encode("utf-8", "surrogateescape") or b"^$")
        except re.error as error:
            raise InvalidPattern(pattern, error.msg, error.pos or 0) from None
        except (OverflowError, RecursionError, UnicodeEncodeError) as error:
            raise InvalidPattern(pattern, str(error), 0) from None

    def matches(self, name: bytes) -> bool:
        """Whether it is found in a name."""
        return self._expression.found_in(name)


def _compiled(pattern: bytes) -> patterns.Pattern[bytes]:
    pattern = _CLASS.sub(lambda match: _CLASSES[match[1]], pattern)
    pattern = _END.sub(rb"\1\\Z", pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of what sets might mean some day
        return patterns.Pattern(pattern)


CONFIGURE: Final = "configure"
WRITE: Final = "write"
READ: Final = "read"


@dataclass(frozen=True)
class Permission:
    """The patterns of one user in one virtual host; raises InvalidPattern."""

    configure: str
    write: str
    read: str
    _patterns: dict[str, Pattern] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns = {
            CONFIGURE: Pattern(self.configure),
            WRITE: Pattern(self.write),
            READ: Pattern(self.read),
        }
        object.__setattr__(self, "_patterns", patterns)

    def allows(self, permission: str, name: bytes) -> bool:
        """Whether a queue or exchange of this name may be configured, written to or read from."""
        return self._patterns[permission].matches(name or DEFAULT_EXCHANGE)


@dataclass(frozen=True)
class TopicPermission:
    """The patterns for routing keys of one user with one topic exchange; raises InvalidPattern.

    `{username}` and `{vhost}` stand for the user's and the virtual host's name.
    """

    write: str
    read: str
    # With names in them: those of one user and one virtual host. None for what is a pattern no more by that.
    _patterns: dict[str, Pattern | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for pattern in (self.write, self.read):
            Pattern(pattern)

    def allows(self, permission: str, routing_key: bytes, user: str, vhost: str) -> bool:
        """Whether a routing key may be published with, or be in a binding."""
        text = expanded(self.write if permission == WRITE else self.read, user, vhost)
        if text not in self._patterns:
            self._patterns[text] = _pattern_of(text)
        pattern = self._patterns[text]
        return pattern is not None and pattern.matches(routing_key)


def _pattern_of(text: str) -> Pattern | None:
    try:
        return Pattern(text)
    except InvalidPattern:
        return None


def expanded(pattern: str, user: str, vhost: str) -> str:
    """Return a topic's pattern with the names in place of `{username}` and `{vhost}`.

    They are put in as they are (rabbitmq: topic-authorisation): what is special in them stays special.
    """
    return pattern.replace("{username}", user).replace("{vhost}", vhost)


class Affected(ABC):
    """Is told whose permissions have changed."""

    @abstractmethod
    def permissions_changed(self, vhost: str) -> None:
        """Take note that somebody's permissions in a virtual host are not what they were."""


class Permissions:
    """The permissions of all users; `generation` rises with every change."""

    def __init__(self) -> None:
        self.generation = 0
        self.affected: Affected | None = None
        self._permissions: dict[tuple[str, str], Permission] = {}
        self._topics: dict[tuple[str, str], dict[str, TopicPermission]] = {}

    def of(self, user: str, vhost: str) -> Permission | None:
        """Return what a user may do in a virtual host; None says that it may not even enter."""
        return self._permissions.get((user, vhost))

    def put(self, user: str, vhost: str, permission: Permission) -> None:
        """Set what a user may do in a virtual host."""
        self._permissions[user, vhost] = permission
        self._changed(vhost)

    def remove(self, user: str, vhost: str) -> bool:
        """Take all permissions in a virtual host from a user, topics' not; false if there were none."""
        if self._permissions.pop((user, vhost), None) is None:
            return False
        self._changed(vhost)
        return True

    def topic_of(self, user: str, vhost: str, exchange: str) -> TopicPermission | None:
        """Return which routing keys a user may use with a topic exchange; None says all."""
        topics = self._topics.get((user, vhost))
        return None if topics is None else topics.get(exchange)

    def topics_of(self, user: str, vhost: str) -> dict[str, TopicPermission] | None:
        """Return what is said of routing keys, by exchange, until the next change; None is nothing."""
        return self._topics.get((user, vhost))

    def put_topic(self, user: str, vhost: str, exchange: str, permission: TopicPermission) -> None:
        """Set which routing keys a user may use with a topic exchange."""
        self._topics.setdefault((user, vhost), {})[exchange] = permission
        self._changed(vhost)

    def remove_topic(self, user: str, vhost: str, exchange: str | None = None) -> bool:
        """Forget about the routing keys of one exchange, or of all; false if there was nothing to forget."""
        topics = self._topics.get((user, vhost))
        if not topics or (exchange is not None and exchange not in topics):
            return False
        if exchange is not None:
            del topics[exchange]
        if exchange is None or not topics:
            del self._topics[user, vhost]
        self._changed(vhost)
        return True

    def rows(self) -> Iterator[tuple[str, str, Permission]]:
        """Yield user, virtual host and permission."""
        for (user, vhost), permission in list(self._permissions.items()):
            yield user, vhost, permission

    def topic_rows(self) -> Iterator[tuple[str, str, str, TopicPermission]]:
        """Yield user, virtual host, exchange and permission."""
        for (user, vhost), topics in list(self._topics.items()):
            for exchange, permission in list(topics.items()):
                yield user, vhost, exchange, permission

    def forget_user(self, user: str) -> None:
        """Remove all that a user may do: it is deleted."""
        for owner, vhost in {*self._permissions, *self._topics}:
            if owner == user:
                self._forget(owner, vhost)

    def forget_vhost(self, vhost: str) -> None:
        """Remove all that users may do in a virtual host: it is deleted."""
        for user, place in {*self._permissions, *self._topics}:
            if place == vhost:
                self._forget(user, place)

    def _forget(self, user: str, vhost: str) -> None:
        self._permissions.pop((user, vhost), None)
        self._topics.pop((user, vhost), None)
        self._changed(vhost)

    def _changed(self, vhost: str) -> None:
        self.generation += 1
        if self.affected is not None:
            self.affected.permissions_changed(vhost)
