"""One thing done with many orders: said in numbers first, then a job with a result for each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from holdfast.client import Money, Order, new_request_id
from holdfast.console.forms import Form, number_in
from holdfast.console.jobs import ROWS_MAX, Job, Row, RowFailed, RowState, TooManyJobs
from holdfast.console.screens.bulk_verbs import BULK_PAYMENTS, VERBS, Verb
from holdfast.console.screens.holdings import left, ready, whole
from holdfast.console.screens.order_filter import page_of, read_filter
from holdfast.console.screens.selection import chosen_in
from holdfast.console.screens.to_ship import find_ready
from holdfast.console.visit import Visit, to

LIVE_S = 0.5  # between two looks at a job
STREAM_S_MAX = 300.0
_TYPED = ("reference", "kind", "reason", "location", "carrier", "whole_only")


async def ask(visit: Visit) -> Response:
    """Say what would happen, and ask whether it is to."""
    form = await visit.form("job")
    verb = VERBS.get(form.text("verb"))
    if verb is None:
        return visit.show("error.html", 400, detail=visit.words.say("error.form"), again="")
    if not visit.may(verb.scope):
        return visit.show("refused.html", 403, scope=verb.scope)
    order_ids, more = chosen_in(form), False
    if form.text("which") == "all":
        order_ids, more = await _all(visit, form)
    if not form.text("again"):  # it comes from a list, and nothing of it was filled in
        form = Form(visit.words, "job", {"location": form.text("location"), "whole_only": "on"})
    return await _asked(visit, verb, form, order_ids, more=more)


async def _asked(
    visit: Visit, verb: Verb, form: Form, order_ids: list[str], *, more: bool = False
) -> Response:
    """Show what would happen with orders as they are now, and the form with what is wrong in it."""
    if not order_ids or len(order_ids) > ROWS_MAX:
        most = visit.words.number(ROWS_MAX)
        words = visit.words
        detail = words.say("bulk.many", most=most) if order_ids else words.say("bulk.none")
        return visit.show("error.html", 400, detail=detail, again="")
    found = await whole(visit, order_ids)
    orders = [one for one in found if isinstance(one, Order)]
    fit = [one for one in orders if verb.fits(one, form.values)]
    return visit.show(
        "bulk.html",
        400 if form.errors else 200,
        verb=verb,
        form=form,
        fit=fit,
        unfit=[one for one in orders if not verb.fits(one, form.values)],
        lost=len(found) - len(orders),
        more=more,
        payment_kinds=BULK_PAYMENTS,
        asked=visit.request.url.query,
        job_id=form.text("job_id") or new_request_id(),
        **_numbers(fit, form.text("location")),
    )


def _numbers(fit: list[Order], location: str) -> dict[str, Any]:
    going = {one.order_id: sum(ready(one, location).values()) for one in fit}
    totals: Counter[str] = Counter()
    for one in fit:
        totals[one.total.currency] += one.total.minor
    return {
        "statuses": Counter(one.status for one in fit),
        "left": left(fit),
        "going": sum(going.values()),
        "in_part": sum(going[one.order_id] < left([one]) for one in fit),
        "totals": [Money(currency, minor) for currency, minor in totals.items()],
    }


async def _all(visit: Visit, form: Form) -> tuple[list[str], bool]:
    """All that a list shows, on whatever page, and whether there are more than a job can have."""
    wanted = read_filter(visit)
    wanted.after = None
    if form.text("list") == "to-ship":
        listed, more = await find_ready(visit, wanted, form.text("location"), ROWS_MAX)
    else:
        listed, more = await page_of(visit, wanted, ROWS_MAX)
    return [one.order_id for one in listed], more


async def begin(visit: Visit) -> Response:
    """Begin a job; sent again, the form leads to the same one."""
    form = await visit.form("job")
    verb, job_id = VERBS.get(form.text("verb")), form.text("job_id")
    rows = [
        Row(one, version)
        for one in chosen_in(form)
        if (version := number_in(form.text(f"order-{one}"))) is not None
    ]
    if verb is None or not rows or len(rows) > ROWS_MAX or not job_id or len(job_id) > 64:
        return visit.show("error.html", 400, detail=visit.words.say("error.form"), again="")
    if not visit.may(verb.scope):
        return visit.show("refused.html", 403, scope=verb.scope)
    if visit.session.jobs.find(job_id) is None:
        verb.check(form)
        if form.errors:
            return await _asked(visit, verb, form, [row.order_id for row in rows])
        job = Job(job_id, verb.name, {name: form.text(name) for name in _TYPED}, rows)
        try:
            visit.session.jobs.begin(job, _doing(visit, verb, job), visit.session.over)
        except TooManyJobs:
            form.errors[""] = visit.words.say("bulk.busy")
            return await _asked(visit, verb, form, [row.order_id for row in rows])
    return to(f"/jobs/{job_id}")


def _doing(visit: Visit, verb: Verb, job: Job) -> Any:
    """What a job does with a row: nothing if its order has changed since somebody saw it."""
    words = visit.words

    async def do(row: Row) -> None:
        async with visit.turns.one_of(row.order_id):
            await do_alone(row)

    async def do_alone(row: Row) -> None:
        client = visit.client  # as it is now: credentials are renewed
        order = await client.orders.get(row.order_id)
        if verb.is_done(order, job):
            return
        if order.version != row.version:
            raise RowFailed(
                "changed", words.say("bulk.changed", status=words.say(f"status.{order.status}"))
            )
        units = sum(ready(order, job.typed["location"]).values())
        if verb.name == "ship" and job.typed["whole_only"] and units < left([order]):
            raise RowFailed("in_part", words.say("bulk.only", units=units, left=left([order])))
        await verb.act(client, order, job)

    return do


async def job(visit: Visit) -> Response:
    """Show how far a job is, and what became of each row."""
    found = visit.session.jobs.find(visit.path("job_id"))
    if found is None:
        return visit.show("error.html", 404, detail=visit.words.say("bulk.unknown"), again="")
    return visit.show("job.html", **_facts(found))


def _facts(found: Job) -> dict[str, Any]:
    return {"job": found, "states": RowState, "failed": found.count(RowState.FAILED)}


async def live(visit: Visit) -> Response:
    """Send how far a job is, until it is over."""
    found = visit.session.jobs.find(visit.path("job_id"))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(
        _progress(visit, found), media_type="text/event-stream", headers=headers
    )


async def _progress(visit: Visit, found: Job | None) -> AsyncIterator[str]:
    over = asyncio.create_task(visit.session.over.wait())
    ends_s = asyncio.get_running_loop().time() + STREAM_S_MAX
    try:
        while found is not None and found.task is not None:
            facts = visit.part("job_facts.html", **_facts(found)).splitlines()
            yield "".join(f"data: {line}\n" for line in facts) + "\n"
            if found.is_over:
                break
            if over.done() or asyncio.get_running_loop().time() > ends_s:
                return  # the browser asks again, and is told then
            both = (found.task, over)
            await asyncio.wait(both, timeout=LIVE_S, return_when=asyncio.FIRST_COMPLETED)
        yield "event: over\ndata:\n\n"
    finally:
        over.cancel()
