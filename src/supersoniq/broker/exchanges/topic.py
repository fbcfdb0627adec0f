"""Topic exchange: binding keys are patterns over words separated by dots, kept in a trie.

`*` stands for exactly one word, `#` for any number of words, also none. The empty key has no words, `a..b`
has an empty one in the middle. Matching walks all ways through the trie at once, a word at a time, and visits
a node once per word: the cost is bounded by words times nodes, whatever the patterns are.
"""

from mypy_extensions import i64

from supersoniq.amqp.tables import Table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange, Targets


class _Node:
    """What follows one sequence of pattern words."""

    def __init__(self, repeats: bool) -> None:
        self.repeats = repeats  # reached by `#`: further words may be swallowed here
        self.step: i64 = 0  # the last step of a match that came by
        self.words: dict[bytes, _Node] = {}
        self.star: _Node | None = None
        self.hash: _Node | None = None
        self.targets = Targets()

    def is_empty(self) -> bool:
        """Whether nothing is bound here or below."""
        return not self.words and self.star is None and self.hash is None and self.targets.is_empty

    def child(self, word: bytes) -> "_Node | None":
        """Return the node that `word` leads to."""
        if word == b"*":
            return self.star
        if word == b"#":
            return self.hash
        return self.words.get(word)

    def grow(self, word: bytes) -> "_Node":
        """Return the node that `word` leads to, made where it is missing."""
        node = self.child(word)
        if node is None:
            node = _Node(word == b"#")
            self._attach(word, node)
        return node

    def cut(self, word: bytes) -> None:
        """Drop the node that `word` leads to."""
        if word == b"*" or word == b"#":
            self._attach(word, None)
        else:
            del self.words[word]

    def _attach(self, word: bytes, node: "_Node | None") -> None:
        if word == b"*":
            self.star = node
        elif word == b"#":
            self.hash = node
        elif node is not None:
            self.words[word] = node


class TopicExchange(Exchange):
    """spec: exchange.type topic."""

    kind = "topic"

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._root = _Node(False)
        self._step: i64 = 0

    def added(self, binding: Binding) -> None:
        """Grow the trie by the binding key."""
        node = self._root
        for word in words_of(binding.binding_key):
            node = node.grow(word)
        node.targets.add(binding.destination)

    def removed(self, binding: Binding) -> None:
        """Prune the trie of what only this binding key needed."""
        path: list[_Node] = [self._root]
        words = words_of(binding.binding_key)
        for word in words:
            path.append(path[-1].grow(word))
        path[-1].targets.remove(binding.destination)
        for depth in range(len(words), 0, -1):
            if not path[depth].is_empty():
                break
            path[depth - 1].cut(words[depth - 1])

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append the destinations of every pattern that matches."""
        self._step += 1
        nodes: list[_Node] = []
        _enter(self._root, self._step, nodes)
        for word in words_of(routing_key):
            self._step += 1
            step = self._step
            following: list[_Node] = []
            for node in nodes:
                if node.repeats:
                    _enter(node, step, following)
                exact = node.words.get(word)
                if exact is not None:
                    _enter(exact, step, following)
                star = node.star
                if star is not None:
                    _enter(star, step, following)
            if not following:
                return
            nodes = following
        for node in nodes:
            node.targets.append_to(into)


def words_of(key: bytes) -> list[bytes]:
    """Split a key into its words; the empty key has none."""
    return key.split(b".") if key else []


def _enter(node: _Node, step: i64, nodes: list[_Node]) -> None:
    """Stand at `node`, and at what a `#` after it leads to, for `#` may stand for no word at all."""
    following: _Node | None = node
    while following is not None and following.step != step:
        following.step = step
        nodes.append(following)
        following = following.hash
