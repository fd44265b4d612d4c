"""The command that lists what a scrape of the admin port has, with its meaning."""

from importlib import import_module

from holdfast.cli.output import Output, OutputOption, print_json, print_table

# Whoever tells figures of the services' own business declares them there.
DECLARED_IN = (
    "holdfast.orders.infrastructure.metrics",
    "holdfast.inventory.infrastructure.metrics",
    "holdfast.notifier.infrastructure.metrics",
)


def declare_all() -> None:
    """Have every metric declared that any process of ours may tell."""
    for module in DECLARED_IN:
        import_module(module)


def metrics(output: OutputOption = Output.TABLE) -> None:
    """List every metric of the admin port: its type, its labels, what it means."""
    from holdfast.chassis.metrics import listed

    declare_all()
    known = listed()
    if output is Output.JSON:
        print_json(
            [
                {
                    "name": one.name,
                    "type": one.kind,
                    "labels": {label: list(values) for label, values in one.labels.items()},
                    "meaning": one.meaning,
                }
                for one in known
            ]
        )
        return
    print_table(
        ["name", "type", "labels", "meaning"],
        [(one.name, one.kind, ", ".join(one.labels), one.meaning) for one in known],
    )
