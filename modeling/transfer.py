"""What a network took over from one of another type, and what not."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Transfer:
    """An account of tensors.

    Attributes:
        origin: folder or repository of the other network.
        model_type: of it.
        loaded: names of tensors, each with that of the tensor there.
        fresh: names of tensors that start afresh, each with the reason.
        left: names of tensors there that are not used.
        numbers: how many numbers tensors hold, by what became of them.
    """

    origin: str
    model_type: str
    loaded: Mapping[str, str]
    fresh: Mapping[str, str]
    left: tuple[str, ...]
    numbers: Mapping[str, int] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The account in three lines, with the parts that tensors belong to."""
        return (
            f"{self.origin} is a {self.model_type}.\n"
            f"loaded: {self._counted(self.loaded, 'loaded')}\n"
            f"new: {self._counted(self.fresh, 'fresh')}\n"
            f"left: {self._counted(self.left, 'left')}"
        )

    def to_json(self) -> str:
        """Write the account with every tensor."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def _counted(self, names: Iterable[str], what: str) -> str:
        names = list(names)
        parts = dict.fromkeys(".".join(_outer(name)) for name in names)
        return f"{len(names)} tensors, {self.numbers.get(what, 0):,} numbers ({', '.join(parts) or 'none'})"


def _outer(name: str) -> list[str]:
    """Take of the name of a tensor the first three modules, without numbers of blocks."""
    return [one for one in name.split(".") if not one.isdecimal() and one not in ("weight", "bias")][:3]
