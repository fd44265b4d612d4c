"""The made-up sample: always the same, and as odd as the real thing."""

from collections import Counter
from pathlib import Path

from holdfast.cli.sample import INVOICE_LINES_MAX, write_sample
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.orders import GUEST
from holdfast.importing.reading import OrderFile, read_orders


def sample(folder: Path, *, invoices: int = 500, seed: int = 7) -> OrderFile:
    path = folder / f"sample-{invoices}-{seed}.csv"
    write_sample(path, invoices=invoices, seed=seed)
    return read_orders(path, ReadOptions(Format.ONLINE_RETAIL))


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample(tmp_path / name, invoices=50, seed=seed)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_every_order_asked_for_can_be_placed_and_no_line_is_flawed(tmp_path: Path) -> None:
    file = sample(tmp_path)

    assert len(file.orders) == 500
    assert file.flaws == []


def test_a_few_products_sell_daily_and_most_hardly_ever(tmp_path: Path) -> None:
    file = sample(tmp_path)
    sold = Counter(line.product_id for order in file.orders for line in order.lines)

    best = [count for _, count in sold.most_common()]

    assert sum(best[:60]) > sum(best[60:]) * 0.6, "a tenth of the products makes a good third"
    assert best[0] > 10 * best[len(best) // 2]


def test_orders_have_one_line_or_a_hundred_and_mostly_few(tmp_path: Path) -> None:
    sizes = sorted(len(order.lines) for order in sample(tmp_path, invoices=2_000).orders)

    assert sizes[0] == 1
    assert sizes[-1] <= INVOICE_LINES_MAX
    assert sizes[-1] > 60
    assert 3 <= sizes[len(sizes) // 2] <= 8


def test_the_oddities_of_the_real_data_are_there(tmp_path: Path) -> None:
    file = sample(tmp_path)

    assert set(file.skipped_lines) == {
        "not_stock",
        "quantity_0_or_less",
        "price_0_or_less",
    }
    assert file.cancellations
    assert GUEST in {order.customer_id for order in file.orders}


def test_the_cover_of_the_demo_cannot_fill_every_order_and_fills_most(tmp_path: Path) -> None:
    file = sample(tmp_path)
    left = {product_id: entry.demand * 4 // 5 for product_id, entry in file.catalogue.items()}

    filled = 0
    for order in file.orders:
        wanted: Counter[str] = Counter()
        for product_id, quantity, _ in order.lines:
            wanted[product_id] += quantity
        if all(left[product_id] >= quantity for product_id, quantity in wanted.items()):
            filled += 1
            for product_id, quantity in wanted.items():
                left[product_id] -= quantity

    assert 0.5 * len(file.orders) < filled < 0.95 * len(file.orders)
