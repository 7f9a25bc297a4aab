"""Settings of the service, read from the environment once and then frozen."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import UsageError


class Settings(BaseSettings):
    """Every setting, with its default; `docs/settings.md` describes each for operators."""

    model_config = SettingsConfigDict(env_prefix="ANCU_", env_ignore_empty=True, frozen=True)

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    database_runtime_url: str | None = Field(
        default=None, validation_alias="DATABASE_RUNTIME_URL"
    )
    home: Path = Path(".ancu")
    boundaries: Path | None = None
    download_url: str = (
        "https://raw.githubusercontent.com/thanglequoc/vietnamese-provinces-database/"
        "cd58063299585146ded3981f2272946ef19ced54/json/geojson"
    )
    demo: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    basemap_url: str | None = None
    max_upload_mb: int = Field(default=256, ge=1)

    inside_probability: float = Field(default=0.95, gt=0.5, lt=1)
    outside_probability: float = Field(default=0.05, gt=0, lt=0.5)
    assumed_accuracy_m: float = Field(default=30.0, gt=0)
    poor_accuracy_m: float = Field(default=100.0, gt=0)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings; raises UsageError that names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"ANCU_{name.upper()}"
        raise UsageError(f"{variable}: {first['msg']}") from None
