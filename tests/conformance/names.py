"""Names no other test uses, remembered so that what was declared under them can be deleted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field


@dataclass
class Names:
    """`names()` makes one more; `names.q` and `names.x` are the usual queue and exchange."""

    used: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.q, self.x = self("q"), self("x")

    def __call__(self, kind: str = "q") -> str:
        name = f"conformance.{kind}.{uuid.uuid4().hex[:12]}"
        self.used.append(name)
        return name
