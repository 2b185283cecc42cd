"""Which split an event belongs to, and the lists that say so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import MANIFESTS_FOLDER

SPLITS = {"train": 0.90, "validation": 0.05, "test": 0.05}
ROUNDING = 1e-6


HASHED = "An event belongs to a split by the SHA-256 of its `event_id` ({shares}), "
STAYS = "so that an event never changes its split when the sample grows."


class SplitError(ValueError):
    """Splits that cannot be made as asked."""


def split_of(event_id: str, fractions: Mapping[str, float] = SPLITS) -> str:
    """Return the split of an event, by the SHA-256 of its name.

    Args:
        event_id: The name.
        fractions: Share of each split; 90 % train, 5 % validation, 5 % test by default.
    """
    share = int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:8]) / 2**64
    for split, fraction in fractions.items():
        if share < fraction:
            return split
        share -= fraction
    return [split for split, fraction in fractions.items() if fraction][-1]


@dataclass(frozen=True)
class SplitRule:
    """Which split an event belongs to: by the hash of its name, or by lists of names.

    Attributes:
        fractions: Share of each split.
        listed: The split of each event by name, if lists decide; others belong to none.
    """

    fractions: Mapping[str, float] = field(default_factory=lambda: SPLITS)
    listed: Mapping[str, str] | None = None

    def of(self, event_id: str) -> str | None:
        """Return the split of an event, None for none."""
        return split_of(event_id, self.fractions) if self.listed is None else self.listed.get(event_id)

    def plan(self) -> dict[str, Any]:
        """Return what `plan.json` says of a rule that is not the usual one."""
        if self.listed is not None:
            names = "".join(f"{split} {name}\n" for name, split in sorted(self.listed.items()))
            digest = hashlib.sha256(names.encode()).hexdigest()
            story = "An event belongs to the split whose list names it; the lists came with the files"
            return {"splits": f"{story} (SHA-256 of their names `{digest}`)."}
        if dict(self.fractions) == SPLITS:
            return {}
        shares = ", ".join(f"{fraction:.4g} {split}" for split, fraction in self.fractions.items())
        return {"splits": HASHED.format(shares=shares) + STAYS}


@dataclass(frozen=True)
class StatedSplits(SplitRule):
    """Splits that the source of the files states.

    Attributes:
        stated: Gives the split of an event by its name, None for none.
        story: What `plan.json` says of it.
    """

    stated: Callable[[str], str | None] = split_of
    story: str = ""

    def of(self, event_id: str) -> str | None:
        """Return the split of an event, None for none."""
        return self.stated(event_id)

    def plan(self) -> dict[str, Any]:
        """Return what `plan.json` says of the rule."""
        return {"splits": self.story}


def rule_of_fractions(fractions: Mapping[str, float]) -> SplitRule:
    """Return the rule that shares events out by the hash of their names.

    Raises:
        SplitError: An unknown split, or shares that are no fractions of one.
    """
    if unknown := [name for name in fractions if name not in SPLITS]:
        raise SplitError(
            f"split fractions: expected shares of {', '.join(SPLITS)}, got one of {unknown[0]!r}"
        )
    shares = {split: float(fractions.get(split, 0.0)) for split in SPLITS}
    if not all(0 <= share <= 1 for share in shares.values()) or abs(sum(shares.values()) - 1) > ROUNDING:
        got = ", ".join(f"{split}={share:g}" for split, share in shares.items())
        raise SplitError(f"split fractions: expected numbers from 0 to 1 that add up to 1, got {got}")
    return SplitRule(shares)


def rule_of_lists(folder: Path) -> SplitRule:
    """Return the rule of lists of events, `<split>.txt` with a name a line as in a dataset's `manifests/`.

    Raises:
        SplitError: No list, another file, or an event in two of them.
    """
    files = {split: folder / f"{split}.txt" for split in SPLITS}
    present = {split: file for split, file in files.items() if file.is_file()}
    others = sorted(file.name for file in folder.glob("*.txt") if file not in files.values())
    if not present or others:
        expected = f"{folder}: expected lists of events named {', '.join(f'{split}.txt' for split in SPLITS)}"
        raise SplitError(f"{expected}, got {', '.join(others) or 'none'}")
    listed: dict[str, str] = {}
    for split, file in present.items():
        for name in filter(None, map(str.strip, file.read_text(encoding="utf-8").splitlines())):
            if listed.setdefault(name, split) != split:
                raise SplitError(
                    f"{file}: expected events that are in no other list, got {name!r}, which is in "
                    f"{listed[name]}.txt as well"
                )
    return SplitRule(listed=listed)


def by_split(event_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of each split, in their order; a split without any is there as well."""
    members: dict[str, list[str]] = {split: [] for split in SPLITS}
    for event_id in event_ids:
        members[split_of(event_id)].append(event_id)
    return members


def write_split_lists(out: Path, members: Mapping[str, Iterable[str]]) -> None:
    """Write the names of the events of each split, a line each.

    Args:
        out: Folder of the dataset.
        members: Names by split.
    """
    for split, event_ids in members.items():
        path = out / split_list(split)
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, "".join(f"{event_id}\n" for event_id in event_ids))


def split_list(split: str) -> str:
    """Return the file in a dataset's folder that names the events of a split."""
    return f"{MANIFESTS_FOLDER}/{split}.txt"
