"""`holdfast bench`: measure a deployment of your own through its public API.

It makes products of its own (BENCH-0001 and on) with plenty of stock and places orders of customers
of its own (bench-0001 and on), which stay there; nothing else is touched.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Annotated

import typer
import uvloop

from holdfast.cli.connection import RETRY_S
from holdfast.cli.exits import REFUSED
from holdfast.cli.output import Output, OutputOption, print_facts, print_json
from holdfast.cli.patience import in_parallel, patiently
from holdfast.client import (
    AlreadyExists,
    Holdfast,
    HoldfastError,
    Money,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Product,
    StockRequest,
)
