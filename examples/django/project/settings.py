"""The café's settings. What differs from one machine to the next, and what is secret, comes from the environment."""

import os
import secrets
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
# The package `outlet` lies beside this example; in a project of your own it is copied into it, or installed.
sys.path.insert(0, str(BASE_DIR.parent / "python"))

# Without one of its own, a process that is started anew does not know its visitors any more.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(40)
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]

INSTALLED_APPS = ["django.contrib.staticfiles", "feeds", "cafe"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "cafe.middleware.content_security_policy",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request", "cafe.context.xmpp"]},
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", BASE_DIR / "cafe.sqlite3"),
        # Writers wait for each other from the start of a transaction, and do not fail in the middle of it.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("STATIC_ROOT", BASE_DIR / "static")

# The account of the site, by the names that django-pubsub had for it.
XMPP_JID = os.environ.get("XMPP_JID", "site@localhost")
XMPP_PASSWORD = os.environ.get("XMPP_PASSWORD", "")
XMPP_PUBSUB_HOST = os.environ.get("XMPP_PUBSUB_HOST", "pubsub.localhost")
# Where the server is, unless DNS tells; without TLS only on the same machine.
XMPP_HOST = os.environ.get("XMPP_HOST")
XMPP_PORT = int(os.environ.get("XMPP_PORT", "5222"))
XMPP_TLS = os.environ.get("XMPP_TLS", "1") == "1"
# Bytes of a stanza that the server accepts (Prosody: c2s_stanza_size_limit, ejabberd: max_stanza_size).
XMPP_MAX_STANZA = int(os.environ.get("XMPP_MAX_STANZA", "262144"))
# Rooms are named without their service, `kitchen`, and lie there.
XMPP_MUC_HOST = os.environ.get("XMPP_MUC_HOST", "conference.localhost")
# Where pages log in without an account.
XMPP_ANONYMOUS_DOMAIN = os.environ.get("XMPP_ANONYMOUS_DOMAIN", "anon.localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Below INFO it writes down what it sends, the login among it.
    "loggers": {"slixmpp": {"level": "WARNING"}},
}
