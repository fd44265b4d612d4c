"""Configuration: the environment over a TOML file over the defaults; unknown names are errors."""

import logging
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from holdfast.chassis.identifiers import is_unseen, named
from holdfast.chassis.process.addresses import split


def _address(value: str) -> str:
    split(value)
    return value


def _address_or_none(value: str) -> str:
    return value and _address(value)


def _level(value: str) -> str:
    if value.upper() not in logging.getLevelNamesMapping():
        raise ValueError("is none of DEBUG, INFO, WARNING, ERROR")
    return value


def _url_or_none(value: str) -> str:
    if value and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
        raise ValueError("is http://HOST:PORT/v1/traces, or https")
    return value


Address = Annotated[str, AfterValidator(_address)]
AddressOrNone = Annotated[str, AfterValidator(_address_or_none)]


class ServiceSettings(BaseSettings):
    """What every service may be told.

    :param log_level: DEBUG, INFO, WARNING or ERROR.
    :param http: HOST:PORT for HTTP/JSON, which is served by worker processes of its own; "": none.
    :param admin: HOST:PORT of /metrics, /healthz and /readyz; "": nowhere. Of several workers each
        has a port of its own: this one, the next, and so on.
    :param traces: where spans are sent by OTLP over HTTP, as http://HOST:4318/v1/traces; "":
        nowhere.
    :param trace_ratio: of the requests that belong to no trace, so many begin one.
    """

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    log_level: Annotated[str, AfterValidator(_level)] = "INFO"
    http: AddressOrNone = ""
    admin: AddressOrNone = ""
    traces: Annotated[str, AfterValidator(_url_or_none)] = ""
    trace_ratio: float = Field(default=0.05, ge=0, le=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)  # load_settings has read the environment and the file


Settings = TypeVar("Settings", bound=ServiceSettings)


def load_settings(kind: type[Settings], service: str, config: Path | None) -> Settings:
    """Read HOLDFAST_<SERVICE>_* from the environment, over the table [service] of the TOML file.
    A file or folder that is empty is none.

    :raises ValueError: something is missing, malformed or unknown; the message names it.
    """
    values = _from_file(service, config) if config else {}
    prefix = f"HOLDFAST_{service.upper()}_"
    for name, value in os.environ.items():
        if name.startswith(prefix):
            values[name.removeprefix(prefix).lower()] = value
    _refuse_unseen(prefix, values)
    for name, field in kind.model_fields.items():
        if field.annotation == (Path | None) and values.get(name) == "":
            del values[name]  # it would be the folder where the process was started
    try:
        return kind(**values)
    except ValidationError as error:
        problems = [
            f"{prefix}{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors()
        ]
        where = f" (also looked in {config})" if config else ""
        raise ValueError("; ".join(problems) + where) from None


def _refuse_unseen(prefix: str, values: dict[str, Any]) -> None:
    """An address pasted with a zero-width space would only be told as a host that nobody knows."""
    for name, value in values.items():
        # What stands around it, such as the line break of a secret's file, is cut off elsewhere.
        text = value.strip(" \t\r\n") if isinstance(value, str) else ""
        for place, character in enumerate(text, 1):
            if is_unseen(character):
                raise ValueError(
                    f"{prefix}{name.upper()}: has an invisible character, {named(character)}, "
                    f"in place {place}: remove it"
                )


def _from_file(service: str, config: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(config.read_text("utf-8-sig")).get(service, {})
    except OSError as error:
        raise ValueError(f"{config}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{config}: {error}") from error
    if not isinstance(table, dict):
        raise ValueError(f"{config}: [{service}] must be a table")  # noqa: TRY004 - a fault of the file
    return table
