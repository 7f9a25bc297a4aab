"""Settings of the service, read from the environment once and then frozen."""

import re
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import UsageError

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*(?![0-9]+$){_LABEL}")


class Settings(BaseSettings):
    """Every setting, with its default; `docs/settings.md` describes each for operators."""

    model_config = SettingsConfigDict(env_prefix="ANCU_", env_ignore_empty=True, frozen=True)

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    database_runtime_url: str | None = Field(default=None, validation_alias="DATABASE_RUNTIME_URL")
    database_replica_url: str | None = Field(default=None, validation_alias="DATABASE_REPLICA_URL")
    replica_max_lag_s: float = Field(default=10.0, ge=1, le=600)
    distributed: bool = False
    pool_size: int = Field(default=8, ge=1, le=100)
    home: Path = Path(".ancu")
    boundaries: Path | None = None
    download_url: str = (
        "https://raw.githubusercontent.com/thanglequoc/vietnamese-provinces-database/"
        "cd58063299585146ded3981f2272946ef19ced54/json/geojson"
    )
    demo: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    trusted_hosts: str = ""
    proxies: int = Field(default=0, ge=0, le=5)
    tls_cert: Path | None = None
    tls_key: Path | None = None
    plain_http: bool = False
    rate_per_minute: int = Field(default=3000, ge=1)
    workers: int = Field(default=2, ge=1, le=64)
    basemap_url: str | None = None
    basemap_file: Path | None = None
    basemap_attribution: str = ""
    max_upload_mb: int = Field(default=256, ge=1)
    max_photo_mb: int = Field(default=20, ge=1, le=100)
    max_photo_megapixels: int = Field(default=64, ge=1, le=200)
    photos_each: int = Field(default=30, ge=1, le=200)

    keys: Path | None = None
    session_idle_minutes: int = Field(default=60, ge=1, le=24 * 60)
    session_hours: int = Field(default=12, ge=1, le=7 * 24)
    token_days: int = Field(default=366, ge=1, le=366)

    address_confidence: float = Field(default=0.6, ge=0, le=1)
    inside_probability: float = Field(default=0.95, gt=0.5, lt=1)
    outside_probability: float = Field(default=0.05, gt=0, lt=0.5)
    assumed_accuracy_m: float = Field(default=30.0, gt=0)
    poor_accuracy_m: float = Field(default=100.0, gt=0)
    photo_distance_m: float = Field(default=200.0, gt=0)
    photo_hours: float = Field(default=6.0, gt=0)
    photo_stage_days: int = Field(default=14, ge=1)
    photo_hash_distance: int = Field(default=6, ge=0, le=8)
    home_shared_by: int = Field(default=3, ge=2)
    device_shared_by: int = Field(default=5, ge=2)
    profile_surveys: int = Field(default=10, ge=1)
    profile_significance: float = Field(default=0.01, gt=0, le=0.2)
    near_m: float = Field(default=500.0, gt=0, le=5000)
    far_home_m: float = Field(default=300.0, gt=0)
    far_site_m: float = Field(default=500.0, gt=0)
    far_sigmas: float = Field(default=5.0, ge=1)
    hamlet_m: float = Field(default=1500.0, gt=0)
    hamlet_spreads: float = Field(default=5.0, ge=1)
    hamlet_households: int = Field(default=5, ge=3)
    repair_m: float = Field(default=1000.0, gt=0)
    shift_m: float = Field(default=50.0, gt=0)
    shift_tolerance_m: float = Field(default=40.0, gt=0)
    shift_households: int = Field(default=8, ge=5)
    coarse_decimals: int = Field(default=3, ge=0, le=5)
    centre_m: float = Field(default=3.0, gt=0)
    place_households: int = Field(default=2, ge=1)
    same_near_m: float = Field(default=5.0, gt=0)
    same_near_households: int = Field(default=3, ge=2)
    same_fix_minutes: float = Field(default=60.0, ge=0)
    spot_m: float = Field(default=30.0, gt=0)
    spot_households: int = Field(default=8, ge=3)
    spot_tight_m: float = Field(default=10.0, gt=0)
    spot_known: int = Field(default=3, ge=1)
    spot_elsewhere_share: float = Field(default=0.5, gt=0, le=1)
    spot_hamlets: int = Field(default=3, ge=2)
    homes_apart_m: float = Field(default=50.0, gt=0)
    travel_kmh: float = Field(default=120.0, gt=0)
    travel_m: float = Field(default=1000.0, gt=0)
    quick_minutes: float = Field(default=3.0, gt=0)
    quick_times: int = Field(default=3, ge=2)
    day_households: int = Field(default=40, ge=2)
    early_hour: float = Field(default=5.0, ge=0, le=12)
    late_hour: float = Field(default=22.0, gt=12, le=24)
    clock_minutes: float = Field(default=10.0, gt=0)
    clock_jump_hours: float = Field(default=12.0, gt=0)
    clock_jumps: int = Field(default=2, ge=1)
    sent_together_minutes: float = Field(default=60.0, gt=0)
    clock_back_days: float = Field(default=30.0, gt=0)
    late_days: float = Field(default=3.0, gt=0)
    started_completed_days: int = Field(default=7, ge=0)
    foundation_completed_days: int = Field(default=7, ge=0)
    started_roof_days: int = Field(default=3, ge=0)
    foundation_roof_days: int = Field(default=3, ge=0)
    frame_completed_days: int = Field(default=3, ge=0)
    repair_days: int = Field(default=2, ge=0)
    stage_m: float = Field(default=100.0, gt=0)

    @property
    def https(self) -> bool:
        """Whether people reach the service by HTTPS: its own, or a proxy's in front of it."""
        return self.tls_cert is not None or self.proxies > 0

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the service may be asked for, beside those of this machine."""
        return _hosts(self.trusted_hosts)

    @field_validator("trusted_hosts")
    @classmethod
    def _are_hosts(cls, names: str) -> str:
        _hosts(names)
        return names


def _hosts(names: str) -> frozenset[str]:
    """Names with commas between them, in the form in which browsers send them."""
    return frozenset(_host(name.strip().lower()) for name in names.split(",") if name.strip())


def _host(name: str) -> str:
    if _HOST_NAME.fullmatch(name):
        return name
    try:
        return ip_address(name).compressed
    except ValueError:
        raise ValueError(
            f"“{name}” is no host name and no IP address. Write the name alone, such as "
            "ancu.example.gov.vn: without https://, port, * or spaces; several with commas."
        ) from None


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings; raises UsageError that names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"ANCU_{name.upper()}"
        said = str(first["msg"]).removeprefix("Value error, ")
        raise UsageError(f"{variable}: {said}") from None
