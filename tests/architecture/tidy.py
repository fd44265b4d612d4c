"""The rules of style that a machine can hold; each takes a source text and names its violations.

A rule never reads a file, so that its own test can show it bad source.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

BANNED_NAMES = frozenset("base common core helpers manager misc shared utils".split())

# Where time and chance come in; everything else is handed them.
TIME_AND_CHANCE = ("src/holdfast/chassis/clock.py", "src/holdfast/client/")

# Where any error at all may be caught. A handler that ends by raising again needs no leave.
CATCHES_EVERYTHING = {
    "src/holdfast/chassis/grpc/rpc_boundary.py": "around every RPC: the caller gets a status",
    "src/holdfast/chassis/http/application.py": "around every HTTP request: likewise",
    "src/holdfast/chassis/messaging/inbox.py": "the message consumer: the message is kept",
    "src/holdfast/chassis/messaging/rabbitmq.py": "message consumer: delivered again",
    "src/holdfast/chassis/messaging/local_broker.py": "embedded message consumer: likewise",
    "src/holdfast/chassis/process/lifecycle.py": "the background-loop supervisor: the loop goes on",
    "src/holdfast/chassis/batcher.py": "hands the error to every submitter of the batch",
    "src/holdfast/console/application.py": "around every page: the person is told",
    "src/holdfast/notifier/infrastructure/smtp.py": "the library that writes mails raises whatever",
    "src/holdfast/notifier/infrastructure/templates.py": "an operator's template raises whatever",
    "src/holdfast/cli/exits.py": "the command line shows people no traceback",
}

# From the ground up: who imports only what stands below. Packages of one storey are strangers.
STOREYS = (("holdfast",), ("testbed",), ("bench", "proof"), ("tests",))

# What a thing was called here, and what those who know its kind call it.
STANDARD_WORDS = {
    "coalescer": "batcher",
    "diary": "history",
    "evidence": "run record",
    "ground": "testbed",
    "mischief": "nemesis",
    "nursery": "fork server",
    "referee": "failover manager",
    "sighting": "observed event",
    "trap": "failpoint action",
    "weather": "link conditions",
    "yardstick": "baseline",
}
WORDS_HOLD_IN = ("bench", "proof", "src", "testbed")

FAILPOINTS = "src/holdfast/chassis/failpoints.py"

_UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

_NOW = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns"},
    "uuid": {"uuid1", "uuid4", "uuid7"},
    "os": {"urandom"},
}


@dataclass(frozen=True)
class Source:
    """One Python file, by its path from the root of the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def is_ours(self) -> bool:
        """Of the product, not of its tests and tools."""
        return self.path.startswith("src/")


Rule = Callable[[Source], Iterator[str]]


def modules_are_short(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield f"{source.path}: {lines} lines; at most {MODULE_LINES_MAX} are allowed"


def functions_are_short(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                where = f"{source.path}:{node.lineno}: {node.name}"
                yield f"{where} has {lines} lines; at most {FUNCTION_LINES_MAX} are allowed"


def names_say_something(source: Source) -> Iterator[str]:
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part.strip("_") in BANNED_NAMES:
            yield f"{source.path}: {part} says nothing; name what is inside"


def modules_say_why_they_exist(source: Source) -> Iterator[str]:
    if not (ast.get_docstring(source.tree) or "").strip():
        yield f"{source.path}: no docstring; the first line of a module says why it exists"


def package_files_hold_one_line(source: Source) -> Iterator[str]:
    is_package = PurePosixPath(source.path).name == "__init__.py"
    if is_package and not source.path.startswith("src/holdfast/client/"):
        lines = source.text.splitlines()
        if len(lines) != 1 or len(source.tree.body) != 1 or not ast.get_docstring(source.tree):
            yield f"{source.path}: holds {len(lines)} lines; one line of docstring is allowed"


def time_and_chance_come_in_by_the_door(source: Source) -> Iterator[str]:
    if not source.is_ours or source.path.startswith(TIME_AND_CHANCE):
        return
    for node in ast.walk(source.tree):
        name = _time_or_chance(node)
        if name:
            line = getattr(node, "lineno", 0)
            yield f"{source.path}:{line}: {name}; only {' and '.join(TIME_AND_CHANCE)} may use it"


def _time_or_chance(node: ast.AST) -> str | None:
    """What a piece of source takes from the world's clock or dice; seeded dice are none."""
    match node:
        case ast.Attribute(value=ast.Name(id="random"), attr=name) if name != "Random":
            return f"random.{name}"
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return f"{owner}.{name}" if name in _NOW.get(owner, ()) else None
        case ast.Call(func=ast.Name(id="Random") | ast.Attribute(attr="Random"), args=[]):
            return "Random() without a seed"
        case ast.Import(names=names):
            return next((name.name for name in names if name.name == "secrets"), None)
        case ast.ImportFrom(module="secrets"):
            return "secrets"
        case ast.ImportFrom(module="random", names=names):
            return next((f"random.{name.name}" for name in names if name.name != "Random"), None)
        case ast.ImportFrom(module=module, names=names):
            banned = _NOW.get(module or "", set()) if module != "datetime" else set()
            return next((f"{module}.{name.name}" for name in names if name.name in banned), None)
    return None


def nothing_is_left_for_later(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := _UNFINISHED.search(line):
            yield f"{source.path}:{number}: {found[0]}; do it, or file an issue"


def types_are_imported_as_values_are(source: Source) -> Iterator[str]:
    name = "TYPE_CHECKING"
    for node in ast.walk(source.tree):
        match node:
            case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
                yield f"{source.path}:{node.lineno}: {name}; resolve the cycle instead"


def errors_are_caught_by_name(source: Source) -> Iterator[str]:
    if not source.is_ours or source.path in CATCHES_EVERYTHING:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node):
            places = ", ".join(CATCHES_EVERYTHING)
            yield f"{source.path}:{node.lineno}: catches everything; only these may: {places}"


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    broad = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in kinds
    )
    last = handler.body[-1]
    raises_again = isinstance(last, ast.Raise) and last.exc is None
    return broad and not raises_again


def the_domain_imports_only_the_standard_library(source: Source) -> Iterator[str]:
    found = re.match(r"src/holdfast/((\w+)/domain/.+)", source.path)
    if found is None:
        return
    short_path, own_package = found[1], f"holdfast.{found[2]}.domain"
    for module in _imports(source.tree):
        is_own = f"{module}.".startswith(f"{own_package}.")
        if not is_own and module.split(".")[0] not in sys.stdlib_module_names:
            what = module if module.startswith("holdfast.") else module.split(".")[0]
            message = "only the standard library is allowed"
            yield f"{short_path}: the domain imports {what}; {message}"


def nothing_imports_what_stands_above_it(source: Source) -> Iterator[str]:
    here = source.path.removeprefix("src/").split("/")[0]
    storey = next((number for number, names in enumerate(STOREYS) if here in names), None)
    if storey is None:
        return
    closed = {name for names in STOREYS[storey:] for name in names if name != here}
    for module in _imports(source.tree):
        if module.split(".")[0] in closed:
            yield f"{source.path}: {here} imports {module}; it may know only what stands below it"


def technical_things_bear_their_standard_names(source: Source) -> Iterator[str]:
    if not source.path.startswith(WORDS_HOLD_IN):
        return
    for name in {PurePosixPath(source.path).stem, *_names(source.tree)}:
        for word in re.findall(r"[A-Z]?[a-z]+", name):
            standard = STANDARD_WORDS.get(word.lower().removesuffix("s"))
            if standard:
                yield f"{source.path}: {name}; the word for it is {standard}"


def _names(tree: ast.Module) -> Iterator[str]:
    """Every name that a source gives or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name):
                yield name


def failpoints_stay_off(source: Source) -> Iterator[str]:
    """What is shipped passes them and nothing else; they ask nobody whether to be on."""
    if not source.is_ours:
        return
    if source.path == FAILPOINTS:
        for module in set(_imports(source.tree)) - {"collections.abc"}:
            yield f"{source.path}: imports {module}; nothing outside may switch a failpoint on"
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.ImportFrom(module="holdfast.chassis.failpoints", names=names):
                taken = {one.name for one in names} - {"failpoint"}
            case ast.ImportFrom(module="holdfast.chassis", names=names):
                taken = {one.name for one in names} & {"failpoints"}
            case ast.Import(names=names):
                taken = {one.name for one in names} & {"holdfast.chassis.failpoints"}
            case _:
                continue
        if taken:
            what = ", ".join(sorted(taken))
            yield f"{source.path}:{node.lineno}: imports {what}; only `failpoint` is for what ships"


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, level=level):
                yield f"{'.' * level}{module or ''}"


RULES: tuple[Rule, ...] = (
    modules_are_short,
    functions_are_short,
    names_say_something,
    modules_say_why_they_exist,
    package_files_hold_one_line,
    time_and_chance_come_in_by_the_door,
    nothing_is_left_for_later,
    types_are_imported_as_values_are,
    errors_are_caught_by_name,
    the_domain_imports_only_the_standard_library,
    nothing_imports_what_stands_above_it,
    technical_things_bear_their_standard_names,
    failpoints_stay_off,
)
