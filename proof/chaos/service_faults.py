"""What happens to the processes of the services."""

from proof.chaos.fault import Fault, require
from proof.chaos.instances import Instance

HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S


class ServiceFault(Fault):
    """A fault of one instance, unless a kind chooses otherwise."""

    group = "services"

    def choose(self) -> None:
        self.instances = [self.chance.choice(list(self.testbed.instances.values()))]
        self.name_target()

    def name_target(self) -> None:
        self.target = " ".join(instance.name for instance in self.instances)

    def _heal(self) -> None:
        for instance in self.instances:
            instance.resume()
        for instance in self.instances:
            instance.wait_until_serving()

    def _kill(self, instance: Instance) -> None:
        victims = instance.program.kill()
        require(victims > 0, f"{instance.name} was dead already")
        self.kills += 1


class ServiceKilled(ServiceFault):
    name = "service killed"
    durations_s = (0.0, 1.0, 5.0)

    def _strike(self) -> None:
        for instance in self.instances:
            self._kill(instance)


class AllOfAServiceKilled(ServiceKilled):
    name = "all of a service killed"

    def choose(self) -> None:
        service = self.chance.choice(["orders", "inventory"])
        self.instances = [one for one in self.testbed.instances.values() if one.service == service]
        self.name_target()


class AllServicesKilled(ServiceKilled):
    name = "all services killed"

    def choose(self) -> None:
        self.instances = list(self.testbed.instances.values())
        self.name_target()


class ServiceInCrashLoop(ServiceFault):
    """Killed again as soon as it serves, or a moment before."""

    name = "service in a crash loop"

    def _strike(self) -> None:
        (instance,) = self.instances
        self._kill(instance)
        for _ in range(self.chance.randint(2, 4)):
            instance.launch()
            if self.chance.random() < 0.5:
                instance.wait_until_serving()
            self._kill(instance)


class ServiceFrozen(ServiceFault):
    name = "service frozen"
    durations_s = (3.0, 8.0, 20.0, 40.0)

    def _strike(self) -> None:
        for instance in self.instances:
            instance.program.freeze()
            require(instance.program.is_frozen(), f"{instance.name} goes on")


class ServiceRestarted(ServiceFault):
    name = "service restarted in good order"

    def _strike(self) -> None:
        for instance in self.instances:
            require(instance.program.is_running(), f"{instance.name} was down already")
            instance.stop()


class ClockJumped(ServiceFault):
    """The wall clock of one instance, with the others' left as they are."""

    name = "clock jumped"
    durations_s = (5.0, 15.0)

    def choose(self) -> None:
        super().choose()
        self.ahead_s = self.chance.choice([0.5, -0.5, HOUR_S, -HOUR_S, 30 * DAY_S, -30 * DAY_S])
        self.target += f" by {self.ahead_s:+g} s"

    def _strike(self) -> None:
        for instance in self.instances:
            instance.shift_clock(self.ahead_s)

    def _heal(self) -> None:
        for instance in self.instances:
            instance.shift_clock(0.0)


KINDS: list[type[Fault]] = [
    ServiceKilled,
    AllOfAServiceKilled,
    AllServicesKilled,
    ServiceInCrashLoop,
    ServiceFrozen,
    ServiceRestarted,
    ClockJumped,
]
