"""The configuration: a TOML file and two environment variables become frozen settings."""

from issbox.config.keys import default_document
from issbox.config.reading import default_config_path, default_state_dir, load_settings
from issbox.config.settings import (
    AfterImport,
    CertificateSettings,
    ExportSettings,
    HealthSettings,
    HookSettings,
    InboxSettings,
    JobSettings,
    LogSettings,
    Settings,
    SynchronizeSettings,
    UnsignedKatello,
    UnsignedManifest,
    VersionSettings,
    WebSettings,
)

__all__ = [
    "AfterImport",
    "CertificateSettings",
    "ExportSettings",
    "HealthSettings",
    "HookSettings",
    "InboxSettings",
    "JobSettings",
    "LogSettings",
    "Settings",
    "SynchronizeSettings",
    "UnsignedKatello",
    "UnsignedManifest",
    "VersionSettings",
    "WebSettings",
    "default_config_path",
    "default_document",
    "default_state_dir",
    "load_settings",
]
