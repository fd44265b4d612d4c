"""The way to customers where there is no mail server: a line in the log."""

import structlog

from holdfast.notifier.application.mails.ports import Letter
from holdfast.notifier.domain.mail import Outcome, Sent

log = structlog.get_logger()


class LogMailer:
    """Writes that there would be a mail, and no word of it: for a machine of one's own."""

    async def send(self, letter: Letter) -> Outcome:
        log.info(
            "mail to a customer, which goes nowhere: no mail server is set",
            kind=letter.kind.value,
            order_id=letter.order_id,
            event_id=letter.event_id,
            language=letter.language.value,
        )
        return Sent()
