"""Connections to the simulated broker: frames come in order, late or never; lines freeze or break.

Both ends believe in a connection until they learn of its loss, each at its own time.
"""

from collections import deque
from collections.abc import Callable, Hashable

from aiormq.exceptions import AMQPConnectionError

from proof.simulation.rabbitmq_faults import Fate

# With heartbeats of 10 s: the broker gives a silent client up after two and a half of them, the
# client library a silent broker after three times eleven seconds.
BROKER_PATIENCE_S = 25.0
CLIENT_PATIENCE_S = 33.0

Frame = Callable[[], object]


class Pipe:
    """One direction of a connection: what is put in comes out in that order, later or never."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate
        self._frames: deque[Frame] = deque()
        self._last_due = 0.0
        self._holds = 0
        self._owed = 0  # frames whose time came while the pipe was held
        self._is_shut = False

    def put(self, frame: Frame) -> None:
        if self._is_shut:
            return
        delay_s = self._fate.frame_s()
        if not (delay_s or self._frames or self._holds):
            frame()
            return
        self._frames.append(frame)
        self._wait(delay_s)

    def put_back(self, frame: Frame) -> None:
        """Have the frame that just came out wait at the mouth of a pipe that is held."""
        assert self._holds, "nothing would bring it out again"
        self._frames.appendleft(frame)
        self._owed += 1

    def _wait(self, delay_s: float) -> None:
        now = self._fate.now()
        self._last_due = max(self._last_due, now + delay_s)
        self._fate.later(self._last_due - now, self._let_out_one)

    def _let_out_one(self) -> None:
        # Timers of one moment may run in any order, so each lets out whatever is first.
        if self._holds:
            self._owed += 1
        elif self._frames:
            self._frames.popleft()()

    def hold(self) -> None:
        self._holds += 1

    def release(self) -> None:
        self._holds -= 1
        if not self._holds:
            owed, self._owed = self._owed, 0
            for _ in range(owed):
                self._wait(0)

    def lose(self) -> None:
        """Lose what is under way from some frame on."""
        kept = self._fate.rng.randint(0, len(self._frames))
        while len(self._frames) > kept:
            self._frames.pop()

    def seal(self) -> None:
        """Let nothing in any more; what is under way arrives."""
        self._is_shut = True

    def shut(self) -> None:
        """Let nothing in or out any more."""
        self._is_shut = True
        self._frames.clear()


class Line:
    """A TCP connection between a client and the broker."""

    def __init__(self, number: int, owner: Hashable, fate: Fate) -> None:
        self.number, self.owner = number, owner
        self.fate = fate
        self.to_broker, self.to_client = Pipe(fate), Pipe(fate)
        # What each end does when it learns that the line is gone.
        self.broker_loses: Callable[[], None] = lambda: None
        self.client_loses: Callable[[Exception], None] = lambda _: None
        self.is_hung_up = False  # by the client
        self._is_blocked = self._is_frozen = False
        self._freezes = 0

    # What the client may do with its socket: asyncio calls it a writer with a transport.

    @property
    def transport(self) -> "Line":
        return self

    def abort(self) -> None:
        """Be hung up by the client, or by the death of its process."""
        if self.is_hung_up:
            return
        self.is_hung_up = True
        self.to_client.shut()
        if self.fate.strikes("resets"):
            self.to_broker.lose()
        self.to_broker.put(self.end_at_broker)
        self.to_broker.seal()
        self.fate.later(0, self._end_at_client)

    # What may happen to it.

    def cut(self, error: Exception | None = None) -> None:
        """Be ended by the broker: it forgets the client now, who learns of it in time."""
        if self.fate.strikes("resets"):
            self.to_client.lose()
        self.end_at_broker()
        self.to_client.put(lambda: self._end_at_client(error))

    def end_at_broker(self) -> None:
        self.to_broker.shut()
        self.broker_loses()

    def _end_at_client(self, error: Exception | None = None) -> None:
        self.to_client.shut()
        self.client_loses(error or AMQPConnectionError("Server connection unexpectedly closed"))

    def freeze(self) -> None:
        """Carry nothing any more; whoever is patient for too long gives the line up."""
        if self._is_frozen:
            return
        self._is_frozen = True
        self._freezes += 1
        self.to_broker.hold()
        self.to_client.hold()
        self.fate.later(BROKER_PATIENCE_S, self._run_out, self._freezes, self._broker_gives_up)
        self.fate.later(CLIENT_PATIENCE_S, self._run_out, self._freezes, self._end_at_client)

    def thaw(self) -> None:
        if self._is_frozen:
            self._is_frozen = False
            self.to_broker.release()
            self.to_client.release()

    def _run_out(self, freeze: int, give_up: Callable[[], None]) -> None:
        if self._is_frozen and freeze == self._freezes:
            give_up()

    def _broker_gives_up(self) -> None:
        # A blocked connection is not read from, so its heartbeats are not missed.
        if not self._is_blocked:
            self.cut()

    def block(self, frame: Frame) -> None:
        """Be read from no more, from this frame on: the broker is short of memory."""
        self._is_blocked = True
        self.to_broker.hold()
        self.to_broker.put_back(frame)

    def unblock(self) -> None:
        if self._is_blocked:
            self._is_blocked = False
            self.to_broker.release()
