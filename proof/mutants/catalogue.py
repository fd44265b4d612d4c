"""All planted bugs, by name."""

from proof.mutants import (
    broker_bugs,
    customer_bugs,
    edit_bugs,
    explain_bugs,
    feed_bugs,
    goods_bugs,
    hold_bugs,
    inbox_bugs,
    key_bugs,
    notifier_bugs,
    object_bugs,
    order_bugs,
    protocol_bugs,
    queue_bugs,
    relay_bugs,
    sourcing_bugs,
    stock_bugs,
    token_bugs,
    transfer_bugs,
)
from proof.mutants.planting import Bug

BUGS: dict[str, Bug] = {
    bug.name: bug
    for module in (
        broker_bugs,
        relay_bugs,
        feed_bugs,
        sourcing_bugs,
        inbox_bugs,
        stock_bugs,
        order_bugs,
        protocol_bugs,
        edit_bugs,
        explain_bugs,
        goods_bugs,
        hold_bugs,
        queue_bugs,
        customer_bugs,
        object_bugs,
        transfer_bugs,
        token_bugs,
        key_bugs,
        notifier_bugs,
    )
    for bug in module.BUGS
}
