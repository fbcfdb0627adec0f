"""The words of a command: read from its function's annotations, and parsed without a library.

Importing typer alone takes longer than everything else that a command does, so a plain call is parsed here.
What is not plain (help, a mistake, completion) is None here, and typer's to answer: `typed.py` makes its
commands from the same words.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Values = dict[str, Any]
# A command is a function of a `Call` and its words; they differ in their words, hence the `...`.
Command = Callable[..., None]


class Argument(NamedTuple):
    """A word by its place; a `Sequence` takes all that are left."""

    metavar: str
    help: str = ""
    completes: str = ""  # the noun whose names it may be


class Option(NamedTuple):
    """A word by one of its names."""

    names: tuple[str, ...]
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    completes: str = ""


class Word(NamedTuple):
    """One word that a command takes."""

    name: str
    group: str  # the parameter that it is a part of; empty when it is one itself
    kind: type  # str, int, float or bool
    is_many: bool
    is_optional: bool  # None stands for: not given
    mark: Argument | Option
    default: Any
    is_required: bool


def words_of(command: Command) -> list[Word]:
    """The words among the parameters of `command`, in their order.

    A parameter is a word when its annotation is marked as one, or a group of them when it is a NamedTuple
    whose fields are.
    """
    code, defaults = command.__code__, command.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    given = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    words = []
    for name in names:
        annotation = command.__annotations__.get(name)
        if hasattr(annotation, "_field_defaults"):
            words += words_of_group(name, annotation)
        elif hasattr(annotation, "__metadata__"):
            words.append(_word(name, "", annotation, given))
    return words


def words_of_group(group: str, kind: Any) -> list[Word]:
    """The words that the fields of a NamedTuple are."""
    fields = kind.__annotations__.items()
    return [_word(name, group, annotation, kind._field_defaults) for name, annotation in fields]


def _word(name: str, group: str, annotation: Any, defaults: Values) -> Word:
    kind, mark = annotation.__origin__, annotation.__metadata__[0]
    choices = getattr(kind, "__args__", ())
    is_optional = type(None) in choices
    if is_optional:
        kind = next(choice for choice in choices if choice is not type(None))
    is_many = getattr(kind, "__origin__", None) is Sequence
    if is_many:
        kind = kind.__args__[0]
    return Word(name, group, kind, is_many, is_optional, mark, defaults.get(name), name not in defaults)


def arguments_of(command: Command, values: Values) -> Values:
    """What to call `command` with: the values of its words, and its groups put together."""
    arguments: Values = {}
    groups: dict[str, Values] = {}
    for word in words_of(command):
        if word.group:
            groups.setdefault(word.group, {})[word.name] = values[word.name]
        else:
            arguments[word.name] = values[word.name]
    for group, fields in groups.items():
        arguments[group] = command.__annotations__[group](**fields)
    return arguments


def parse(words: Sequence[Word], tokens: Sequence[str]) -> Values | None:
    """The value of each word; None when `tokens` are wrong, or more than plain."""
    options = {name: word for word in words if isinstance(word.mark, Option) for name in word.mark.names}
    arguments = [word for word in words if isinstance(word.mark, Argument)]
    values: Values = {}
    places: list[str] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token == "--":
            places.extend(tokens[index:])
            break
        if not token.startswith("-") or token == "-":
            places.append(token)
            continue
        name, equals, text = token.partition("=")
        word = options.get(name)
        if word is None:
            return None
        if word.kind is bool:
            if equals:
                return None
            values[word.name] = True
            continue
        if not equals:
            if index == len(tokens):
                return None
            text = tokens[index]
            index += 1
        if not _keep(values, word, text):
            return None
    return values if _place(values, arguments, places) and _complete(values, words) else None


def _keep(values: Values, word: Word, text: str) -> bool:
    """Convert and keep the value of one word; False when it has none such."""
    if isinstance(word.mark, Option) and word.mark.choices and text not in word.mark.choices:
        return False
    try:
        value = word.kind(text)
    except ValueError:
        return False
    if word.is_many:
        values.setdefault(word.name, []).append(value)
    else:
        values[word.name] = value
    return True


def _place(values: Values, arguments: list[Word], places: list[str]) -> bool:
    """Give the words by place to the arguments; False when one is left over."""
    left = list(places)
    for word in arguments:
        while left:
            if not _keep(values, word, left.pop(0)):
                return False
            if not word.is_many:
                break
    return not left


def _complete(values: Values, words: Sequence[Word]) -> bool:
    """Give the words that were not given their defaults; False when one is required."""
    for word in words:
        if word.name not in values:
            if word.is_required:
                return False
            values[word.name] = word.default
    return True
