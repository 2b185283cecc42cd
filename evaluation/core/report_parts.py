"""Parts of reports that are the same for every task."""

from __future__ import annotations

from nuzoo.evaluation.core.results import Results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.files.plain_text import plain


def cost_section(results: Results) -> str:
    """Write what inference cost, and on which machine."""
    cost, machine = results.cost, results.machine
    rows = [[part, with_error(time)] for part, time in cost.ms_per_event.items()]
    memory = cost.peak_memory
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    return (
        f"## Cost\n\nBatches of {cost.batch_size} on {machine.gpu or machine.processor} "
        f"({machine.threads} threads). Peak memory {memory.mib:,.0f} MiB "
        f"({memory.counts}).\n\n"
        + as_table(["step", "ms per event"], rows)
        + f"\n\n{machine.system}, Python {machine.python}, {packages}."
    )


def events_text(results: Results) -> str:
    """Write which events were measured, and when."""
    dataset = results.dataset
    more = dataset.source_count - len(dataset.sources)
    sources = "; ".join(map(plain, dataset.sources)) + (f" and {more:,} more sources" if more else "")
    return (
        f"Events: {sources}; SHA-256 of the "
        f"sorted event ids `{dataset.event_ids_sha256}`. Evaluated {results.created}."
    )
