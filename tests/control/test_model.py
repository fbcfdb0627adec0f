"""Administration against plain dictionaries, with restarts, kills and power losses in between."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.control.site import ALICE, HASH, OTHER_HASH, Site
from tests.definitions import brief
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.small_node import Pessimist, SmallNode

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.permissions import Permission, TopicPermission
from supersoniq.auth.users import User
from supersoniq.control.policies import policy_value
from supersoniq.control.records import VHostMetadata

USERS = st.sampled_from(["ann", "bob"])
VHOSTS = st.sampled_from(["/", "shop"])
NAMES = st.sampled_from(["p", "q"])
PATTERNS = st.sampled_from(["", ".*", "^a"])
TAGS = st.frozensets(st.sampled_from(["administrator", "own"]))
PASSWORDS = st.sampled_from([None, HASH, OTHER_HASH])
NUMBERS = st.integers(0, 3)
KINDS = ("users", "vhosts", "permissions", "topics", "policies", "limits", "globals", "queues")

State = dict[str, dict[Any, Any]]


def state_of(site: Site) -> State:
    """All there is, as the model has it."""
    administration = site.administration
    state: State = {kind: {} for kind in KINDS}
    state["users"] = {user.name: user for user in administration.users}
    state["vhosts"] = dict(administration.vhost_metadata)
    for user, vhost, permission in administration.permissions.rows():
        state["permissions"][user, vhost] = permission
    for user, vhost, exchange, topic in administration.permissions.topic_rows():
        state["topics"][user, vhost, exchange] = topic
    for name, place in site.vhosts.items():
        for policies in (place.policies.user, place.policies.operator):
            for policy in policies.by_name.values():
                state["policies"][name, policy.name, policy.is_operator] = policy_value(policy)
        if place.limits.definition():
            state["limits"][name] = dict(place.limits.definition())
        for queue in place.queues:
            state["queues"][name, queue] = None
    state["globals"] = dict(administration.global_parameters)
    for known in administration.users:
        assert site.limits_of(known.name).definition() == known.limits
    return state


class Model(RuleBasedStateMachine):
    """Changes a node and dictionaries in the same way; `since` are the states that a crash may leave."""

    def __init__(self) -> None:
        super().__init__()
        self.state: State = {kind: {} for kind in KINDS}
        self.since = [copy.deepcopy(self.state)]
        self._open(SmallNode(names=()))

    def _open(self, node: SmallNode) -> None:
        self.node = node
        self.site = Site(node.store, node.vhosts)
        self.administration = self.site.administration

    def _start_again(self, end: Callable[[SimulatedDisk], SimulatedDisk]) -> None:
        node = self.node
        self._open(SmallNode(end(node.disk), node.options, node.marks.kill(), names=()))

    @invariant()
    def is_as_it_should_be(self) -> None:
        assert state_of(self.site) == self.state
        if self.since[-1] != self.state:
            self.since.append(copy.deepcopy(self.state))

    def _forget(self, kind: str, place: int, name: str) -> None:
        """Forget what has a name at a place of its key."""
        self.state[kind] = {key: value for key, value in self.state[kind].items() if key[place] != name}

    # Changes

    @rule(name=VHOSTS, description=NAMES, queue_type=st.sampled_from(["", "quorum"]))
    def put_vhost(self, name: str, description: str, queue_type: str) -> None:
        self.administration.put_vhost(name, description, ["t"], queue_type, False, ALICE)
        self.state["vhosts"][name] = VHostMetadata(description, ("t",), queue_type)

    @precondition(lambda self: self.state["vhosts"])
    @rule(data=st.data())
    def delete_vhost(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.state["vhosts"])))
        self.administration.delete_vhost(name, ALICE)
        del self.state["vhosts"][name]
        self.state["limits"].pop(name, None)
        for kind, place in [("permissions", 1), ("topics", 1), ("policies", 0), ("queues", 0)]:
            self._forget(kind, place, name)

    @rule(name=USERS, password=PASSWORDS, tags=TAGS)
    def put_user(self, name: str, password: PasswordHash | None, tags: frozenset[str]) -> None:
        self.administration.put_user(name, password, tags, ALICE)
        known = self.state["users"].get(name)
        self.state["users"][name] = User(name, password, tags, {} if known is None else known.limits)

    @precondition(lambda self: self.state["users"])
    @rule(data=st.data(), tags=TAGS, limits=st.dictionaries(st.just("max-channels"), NUMBERS))
    def change_user(self, data: st.DataObject, tags: frozenset[str], limits: dict[str, int]) -> None:
        known = self.state["users"][data.draw(st.sampled_from(sorted(self.state["users"])))]
        self.administration.set_tags(known.name, tags, ALICE)
        self.administration.put_user_limits(known.name, limits, ALICE)
        self.state["users"][known.name] = User(known.name, known.password, tags, {**known.limits, **limits})
        self.since.append(copy.deepcopy(self.state))
        self.since[-1]["users"][known.name] = User(known.name, known.password, tags, known.limits)

    @precondition(lambda self: self.state["users"])
    @rule(data=st.data())
    def delete_user(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.state["users"])))
        self.administration.delete_user(name, ALICE)
        del self.state["users"][name]
        for kind in ("permissions", "topics"):
            self._forget(kind, 0, name)

    @precondition(lambda self: self.state["users"] and self.state["vhosts"])
    @rule(
        data=st.data(), pattern=PATTERNS, is_granted=st.booleans(), exchange=st.sampled_from(["", "e", "f"])
    )
    def permit(self, data: st.DataObject, pattern: str, is_granted: bool, exchange: str) -> None:
        """With an exchange it is the topic permission for it."""
        user = data.draw(st.sampled_from(sorted(self.state["users"])))
        vhost = data.draw(st.sampled_from(sorted(self.state["vhosts"])))
        administration = self.administration
        if exchange and is_granted:
            administration.put_topic_permission(user, vhost, exchange, pattern, "r", ALICE)
            self.state["topics"][user, vhost, exchange] = TopicPermission(pattern, "r")
        elif exchange:
            administration.clear_topic_permission(user, vhost, exchange, ALICE)
            self.state["topics"].pop((user, vhost, exchange), None)
        elif is_granted:
            administration.put_permission(user, vhost, pattern, "w", "r", ALICE)
            self.state["permissions"][user, vhost] = Permission(pattern, "w", "r")
        else:
            administration.clear_permission(user, vhost, ALICE)
            self.state["permissions"].pop((user, vhost), None)

    @precondition(lambda self: self.state["vhosts"])
    @rule(data=st.data(), name=NAMES, is_operator=st.booleans(), number=NUMBERS)
    def put_policy(self, data: st.DataObject, name: str, is_operator: bool, number: int) -> None:
        vhost = data.draw(st.sampled_from(sorted(self.state["vhosts"])))
        definition = {"max-length": number}
        self.administration.put_policy(vhost, name, "^a", "all", number, definition, is_operator, ALICE)
        self.state["policies"][vhost, name, is_operator] = {
            "pattern": "^a",
            "apply-to": "all",
            "definition": definition,
            "priority": number,
        }

    @precondition(lambda self: self.state["policies"])
    @rule(data=st.data())
    def delete_policy(self, data: st.DataObject) -> None:
        vhost, name, is_operator = data.draw(st.sampled_from(sorted(self.state["policies"])))
        self.administration.delete_policy(vhost, name, is_operator, ALICE)
        del self.state["policies"][vhost, name, is_operator]

    @precondition(lambda self: self.state["vhosts"])
    @rule(data=st.data(), number=st.none() | NUMBERS)
    def limit_vhost(self, data: st.DataObject, number: int | None) -> None:
        vhost = data.draw(st.sampled_from(sorted(self.state["vhosts"])))
        if number is None:
            self.administration.clear_vhost_limits(vhost, None, ALICE)
            self.state["limits"].pop(vhost, None)
        else:
            self.administration.put_vhost_limits(vhost, {"max-connections": number}, ALICE)
            self.state["limits"][vhost] = {"max-connections": number}

    @rule(name=NAMES, value=st.none() | st.recursive(NUMBERS, lambda inner: st.lists(inner, max_size=2)))
    def put_global_parameter(self, name: str, value: object) -> None:
        self.administration.put_global_parameter(name, value, ALICE)
        self.state["globals"][name] = value

    @precondition(lambda self: self.state["globals"])
    @rule(data=st.data())
    def delete_global_parameter(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.state["globals"])))
        self.administration.delete_global_parameter(name, ALICE)
        del self.state["globals"][name]

    @precondition(lambda self: self.state["vhosts"])
    @rule(data=st.data(), name=NAMES)
    def declare_queue(self, data: st.DataObject, name: str) -> None:
        vhost = data.draw(st.sampled_from(sorted(self.state["vhosts"])))
        if (vhost, name.encode()) not in self.state["queues"]:
            self.site.vhosts[vhost].declare_queue(name.encode(), True, False, False, {}, 0)
            self.state["queues"][vhost, name.encode()] = None

    # Time, and ends

    @rule()
    def commit(self) -> None:
        """All that was changed is safe from here on."""
        sequence = self.administration.sequence
        self.node.commit()
        assert self.node.store.durable() >= sequence
        self.since = [copy.deepcopy(self.state)]

    @rule(count=st.integers(1, 30))
    def tidy(self, count: int) -> None:
        """Files of the journal are cleared and go."""
        self.node.tick(count)
        self.commit()

    @rule()
    def stop(self) -> None:
        self.node.end_turn()
        self.node.store.stop()
        self._start_again(SimulatedDisk.kill)
        self.since = [copy.deepcopy(self.state)]

    @rule(is_killed=st.booleans(), is_cut=st.booleans())
    def crash(self, is_killed: bool, is_cut: bool) -> None:
        """What was safe is there, and of what came then all up to some moment."""
        if is_cut:
            self.node.end_turn()
            self.node.committer.step()
        self._start_again(SimulatedDisk.kill if is_killed else lambda disk: disk.crash(Pessimist()))
        self.state = state_of(self.site)
        assert self.state in self.since
        self.since = [copy.deepcopy(self.state)]


def test_administration_is_what_dictionaries_are() -> None:
    run_state_machine_as_test(Model, settings=settings(brief, stateful_step_count=25))
