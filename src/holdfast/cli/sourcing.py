"""Where stock is to come from and where it is, as people type it and read it."""

from collections.abc import Sequence
from typing import Annotated

import typer

from holdfast.cli.arguments import given, names_of, one_of, typed
from holdfast.cli.output import print_table
from holdfast.client import HeldStock, Shortage, Sourcing, SourcingReason, SourcingStrategy

_WITH_LOCATIONS = (SourcingStrategy.NEAREST, SourcingStrategy.PINNED)

SourcingOption = Annotated[
    SourcingStrategy | None,
    typer.Option(
        parser=one_of(SourcingStrategy, "sourcing"),
        metavar="RULE",
        help=f"Where the stock comes from: {names_of(SourcingStrategy)}.",
    ),
]
SourcesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        parser=given,
        metavar="LOCATION",
        help="For nearest (these first) and pinned (only these): a location; again for the next.",
    ),
]
NoSplitOption = Annotated[
    bool, typer.Option("--no-split", help="All from one location, or nothing.")
]

InStockOnlyOption = Annotated[
    bool,
    typer.Option(
        "--in-stock-only", help="Wait for nothing: what is not there is short, whatever may wait."
    ),
]

WHY = {
    SourcingReason.PRIORITY: "next by priority",
    SourcingReason.NEAREST: "next nearest",
    SourcingReason.PINNED: "next of the pinned",
    SourcingReason.HAS_ALL: "first that has all of it",
    SourcingReason.FEWEST: "one of the fewest that have all of it",
    SourcingReason.UNKNOWN: "a reason that only a newer version knows",
}


def sourcing_of(
    strategy: SourcingStrategy | None,
    sources: Sequence[str] | None,
    no_split: bool,
    in_stock_only: bool,
) -> Sourcing | None:
    """Read a sourcing; None: nothing was said of it."""
    if strategy in _WITH_LOCATIONS and not sources:
        raise typer.BadParameter(f"--sourcing {typed(strategy)} needs --from LOCATION")
    if sources and strategy not in _WITH_LOCATIONS:
        raise typer.BadParameter("--from is for --sourcing nearest or pinned: give one of them")
    if strategy is None and not no_split and not in_stock_only:
        return None
    rule = strategy or SourcingStrategy.PRIORITY
    return Sourcing(rule, sources or (), not no_split, in_stock_only)


def sourcing_line(sourcing: Sourcing) -> str:
    """A sourcing on one line; empty for that of every order of which nothing was said."""
    if sourcing == Sourcing():
        return ""
    rule = typed(sourcing.strategy)
    named = f": {', '.join(sourcing.locations)}" if sourcing.locations else ""
    split = "" if sourcing.may_split else " (not split)"
    return f"{rule}{named}{split}{' (in stock only)' if sourcing.in_stock_only else ''}"


def show_stock(stock: Sequence[HeldStock]) -> None:
    """Print from where units come, and why from there."""
    print_table(
        ("product", "location", "units", "why there"),
        [(one.product_id, one.location_id, one.quantity, WHY[one.reason]) for one in stock],
    )


def shortage_line(short: Shortage) -> str:
    """What is missing of a product, on one line."""
    expected = f"; more is expected on {short.expected_date}" if short.expected_date else ""
    return f"{short.product_id}: wanted {short.wanted}, available {short.available}{expected}"
