"""The page of the documentation that lists the metrics, from the table in the code."""

from pathlib import Path

from holdfast.chassis.metrics import listed
from holdfast.cli.metrics import declare_all

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
RENEW = ".venv/bin/python -m tests.unit.written_metrics"

HEAD = f"""# Metrics

<!-- Written by `{RENEW}`, not by hand. -->

What `/metrics` of the admin port has, in the words of the code; `holdfast metrics` lists the same.
[Operating Holdfast](operating.md#seen-from-outside) tells where the port is, and
[the runbooks](runbooks/README.md) what to do about it. No label names a customer, an order, a
product or an address. A histogram `NAME` is `NAME_bucket`, `NAME_sum` and `NAME_count`.

| Metric | Type | Labels | Meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """What the page says."""
    rows = []
    declare_all()
    for one in listed():
        labels = [
            f"`{label}`" + (f" ({', '.join(values)})" if values else "")
            for label, values in one.labels.items()
        ]
        rows.append(f"| `{one.name}` | {one.kind} | {', '.join(labels)} | {one.meaning} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page())
