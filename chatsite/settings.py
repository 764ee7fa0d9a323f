"""Settings of the site. With no environment at all it runs on this machine; see docs/settings.md.

Local mode (DEBUG unset or on) uses the embedded servers and shows tracebacks: for one's own machine.
Production (DEBUG off) refuses to start on a missing, misspelt or unsafe value.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from chatsite import __version__, embedded, env, timeouts
from chatsite.alert_channels import alert_channels
from chatsite.databases import postgresql, redis_server, same_server
from chatsite.languages import offered
from chatsite.logs import configure_logging
from chatsite.mail import email_settings
from chatsite.storage import attachment_storage
from chatsite.unfold import UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data"))).resolve()

# Core

DEBUG = env.flag("DEBUG", default=True)
SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS").replace(",", " ").split()
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
SITE_URL = env.address("SITE_URL", next(iter(CSRF_TRUSTED_ORIGINS), "")).rstrip("/")
if DEBUG:
    SECRET_KEY = SECRET_KEY or embedded.secret_key(DATA_DIR)
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]

BEHIND_PROXY = env.flag("BEHIND_PROXY", default=not DEBUG)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "chatsite.admin_app.ChatsiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_prometheus",
    "django_structlog",
    "performance",
    "conversations",
    "chatsite",
]

MIDDLEWARE = [
    "performance.middleware.QueryLogMiddleware",
    "performance.middleware.PerformanceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chatsite.request_ids.GivenIdMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "chatsite.request_ids.RequestIdMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "chatsite.away.AwayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "chatsite.visitors.VisitorMiddleware",
    "chatsite.languages.LanguageMiddleware",
    "chatsite.time_zones.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

# Traces: imported and inserted only where they have somewhere to go

OTEL_EXPORTER_OTLP_ENDPOINT = env.address("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_TRACES_SAMPLER_ARG = env.ratio("OTEL_TRACES_SAMPLER_ARG", default=1.0)
if OTEL_EXPORTER_OTLP_ENDPOINT:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("chatsite.request_ids.RequestIdMiddleware") + 1,
        "chatsite.tracing.middleware.TracingMiddleware",
    )
# Where staff look a trace up, such as http://jaeger:16686/trace/{trace_id}
TRACE_URL = env.address("TRACE_URL")

ROOT_URLCONF = "chatsite.urls"
WSGI_APPLICATION = "chatsite.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "performance.rendering.DjangoTemplates",
        "NAME": "django",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# PostgreSQL and the two Redis instances: the embedded ones where no address is given

DATABASE_URL = env.secret("DATABASE_URL")
CACHE_URL = redis_server("CACHE_URL", env.secret("CACHE_URL"))
QUEUE_URL = redis_server("QUEUE_URL", env.secret("QUEUE_URL"))
if DEBUG:
    DATABASE_URL = DATABASE_URL or embedded.database_url(DATA_DIR)
    CACHE_URL = CACHE_URL or embedded.cache_url(DATA_DIR)
    QUEUE_URL = QUEUE_URL or embedded.queue_url(DATA_DIR)

WEB_THREADS = env.number("WEB_THREADS", 4, least=1, most=64)
DATABASES = {
    "default": postgresql(DATABASE_URL, pool_size=WEB_THREADS + 2, timeouts=timeouts.current())
}


def _cache(prefix: str, timeout: int) -> dict[str, object]:
    return {
        "BACKEND": "performance.cache.backends.TieredCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": prefix,
        "TIMEOUT": timeout,
    }


CACHES = {
    "default": _cache("site", 300),
    # What is stored there is forgotten when it changes, so its age does not matter.
    "conversations": _cache("conversations", 24 * 3600),
    "ai_responses": _cache("ai", 24 * 3600),
    "tool_results": _cache("tools", 3600),
}

PERFORMANCE = {
    "CACHE": {
        "ENABLED": env.flag("CACHE_ENABLED", default=True),
        "CONVERSATIONS": env.flag("CACHE_CONVERSATIONS", default=True),
        "AI_RESPONSES": env.flag("CACHE_AI_RESPONSES", default=True),
        "TOOL_RESULTS": env.flag("CACHE_TOOL_RESULTS", default=True),
    },
    "QUEUES": {"ENABLED": env.flag("QUEUES_ENABLED", default=True)},
    "METRICS": {
        "ENABLED": env.flag("METRICS_ENABLED", default=True),
        "LOCATION": QUEUE_URL,
        "IGNORE_PATHS": [
            *("/static/", "/health/", "/metrics", "/favicon.ico"),
            "/admin/performance/dashboard/data/",  # the board would mostly show itself
        ],
    },
    "HEALTH": {
        "TOKEN": env.secret("HEALTH_TOKEN"),
        "METRICS_TOKEN": env.secret("METRICS_TOKEN"),
        # Behind a proxy on this machine everybody seems to come from it.
        "METRICS_LOOPBACK": not BEHIND_PROXY,
        "OPTIONAL": env.words("HEALTH_OPTIONAL"),
        "VERSION": __version__,
    },
    "QUERIES": {"ENABLED": env.flag("QUERIES_ENABLED", default=True)},
    "ALERTS": {
        "ENABLED": env.flag("ALERTS_ENABLED", default=True),
        "CHANNELS": alert_channels(),
        "ESCALATE_TO": env.words("ALERTS_ESCALATE_TO"),
        "ALLOWED_NETWORKS": env.words("ALERTS_ALLOWED_NETWORKS"),
        "SITE_URL": SITE_URL,
        "RUNBOOKS": str(BASE_DIR / "docs" / "operations" / "runbooks"),
    },
}

RQ_QUEUES = {
    level: {"URL": QUEUE_URL, "DEFAULT_TIMEOUT": 600, "SERIALIZER": "rq.serializers.JSONSerializer"}
    for level in ("critical", "urgent", "high", "normal", "low")
}

# RQ's own worker, `manage.py rqworker`, then refuses what is no registered task, as ours does.
RQ = {"JOB_CLASS": "performance.queues.job.TaskJob"}
TASKS = {"default": {"BACKEND": "performance.queues.backend.RQBackend", "QUEUES": list(RQ_QUEUES)}}

# The assistant

LLM_BASE_URL = env.address("LLM_BASE_URL")
LLM_API_KEY = env.secret("LLM_API_KEY")
LLM_MODEL = env.text("LLM_MODEL")
LLM_MODELS = env.words("LLM_MODELS")
# Of a million tokens: read, written, read out of the provider's cache.
LLM_PRICES = env.prices("LLM_PRICES")
CHAT_PRICES = env.price_list("CHAT_PRICES")  # by model; it goes before a backend's own
CHAT_CURRENCY = env.currency("CHAT_CURRENCY", "USD")
LLM_IMAGES = env.flag("LLM_IMAGES", default=False)

_GUIDE = {"BACKEND": "conversations.ai.guide.GuideBackend", "OPTIONS": {}}
_OPENAI = {
    "BACKEND": "conversations.ai.openai.OpenAIBackend",
    "OPTIONS": {
        "base_url": LLM_BASE_URL,
        "api_key": LLM_API_KEY,
        "model": LLM_MODEL,
        "models": LLM_MODELS,
        "prices": LLM_PRICES,
        # Of the key, all workers together; 0: as much as comes.
        "limits": {
            "requests_per_minute": env.number("LLM_REQUESTS_PER_MINUTE", 0),
            "tokens_per_minute": env.number("LLM_TOKENS_PER_MINUTE", 0),
            "longest_wait": env.number("LLM_LONGEST_WAIT", 120, least=1, most=3600),
        },
        "images": LLM_IMAGES,
    },
}
CHAT_BACKENDS = {
    "default": _OPENAI if LLM_BASE_URL else _GUIDE,
    "guide": _GUIDE,
}
SYSTEM_PROMPT = env.text(
    "SYSTEM_PROMPT",
    "You are the assistant of this chat site. Answer in Markdown, in the language of the question. "
    "Use the tools for arithmetic, dates, units and searches. Say so when you do not know.",
)
# Hours after its last message until a temporary conversation is deleted.
TEMPORARY_HOURS = env.number("TEMPORARY_HOURS", 24, least=1, most=720)
# The queue's level of a reply; the last one is for staff and the members of a group.
REPLY_LEVEL = env.choice("REPLY_LEVEL", "high", RQ_QUEUES)
REGENERATE_LEVEL = env.choice("REGENERATE_LEVEL", "normal", RQ_QUEUES)
PRIORITY_LEVEL = env.choice("PRIORITY_LEVEL", "", RQ_QUEUES)
PRIORITY_GROUP = env.text("PRIORITY_GROUP")

if env.text("CHAT_BACKEND"):
    CHAT_BACKENDS["default"] = {"BACKEND": env.text("CHAT_BACKEND"), "OPTIONS": {}}
if env.flag("LOCAL_MODEL", default=False):
    CHAT_BACKENDS["local"] = {
        "BACKEND": "conversations.ai.local_model.LocalModelBackend",
        "OPTIONS": {},
    }
    if not LLM_BASE_URL:
        CHAT_BACKENDS["default"] = CHAT_BACKENDS["local"]

# Open event streams of a user in one web process; the oldest makes way for one more.
STREAMS_PER_USER = env.number("STREAMS_PER_USER", 50, least=1, most=10_000)

# Links by which anybody may read a conversation; staff may narrow both while the site runs

SHARING = env.flag("SHARING", default=True)
SHARING_MOST_DAYS = env.number("SHARING_MOST_DAYS", 0, most=3650)
# Days after its end until a share link, which nobody can open any more, is deleted.
SHARING_ENDED_DAYS = env.number("SHARING_ENDED_DAYS", 30, least=1, most=3650)

# Files that users attach, and how much of them is read: conversations/attachments/limits.py

ATTACHMENTS = {
    "FILE_MB": env.number("ATTACHMENT_FILE_MB", 10, least=1, most=30),
    "PER_MESSAGE": env.number("ATTACHMENTS_PER_MESSAGE", 5, least=0, most=20),
    "USER_MB": env.number("ATTACHMENTS_USER_MB", 200),
    "PAGES": env.number("ATTACHMENT_PAGES", 2000, least=1, most=20_000),
    "CHARACTERS": env.number("ATTACHMENT_CHARACTERS", 2_000_000, least=1000, most=20_000_000),
    "SECONDS": env.number("ATTACHMENT_SECONDS", 60, least=1, most=600),
    "MEMORY_MB": env.number("ATTACHMENT_MEMORY_MB", 768, least=128),
    "PIXELS": env.number("ATTACHMENT_PIXELS", 50_000_000, least=10_000),
    "TOKENS": env.number("ATTACHMENT_TOKENS", 12_000, least=500),
    "WAIT": env.number("ATTACHMENT_WAIT", 30, most=300),
    "SCANNER": env.command("ATTACHMENT_SCANNER"),
    "ACCEL": env.text("ATTACHMENT_ACCEL"),
}

# Accounts

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "conversations:list"
LOGOUT_REDIRECT_URL = "conversations:list"
ACCOUNT_FORMS = {"login": "chatsite.accounts.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_PREVENT_ENUMERATION = True
# Behind a proxy everybody would share its address, and one attacker lock all out of the log-in.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", int(BEHIND_PROXY), most=9)

EMAIL_URL = env.secret("EMAIL_URL")
globals().update(email_settings(EMAIL_URL or ("console:" if DEBUG else "")))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "chatsite@localhost")

# Security

# The row in PostgreSQL counts; the cache spares most requests the question.
SESSION_ENGINE = "chatsite.sessions"
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "chatsite.views.csrf_failure"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
if not DEBUG:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD", default=True)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Static files, language, logs

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "chatsite.static_files.HashedStaticFiles"
    },
    # Never under anything that a server hands out: a view asks first whose they are.
    "attachments": attachment_storage(DATA_DIR),
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGES = offered(env.words("SITE_LANGUAGES") or ["en", "de"])
LANGUAGE_CODE = LANGUAGES[0][0]  # for those whose browser asks for none of them
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds
LANGUAGE_COOKIE_HTTPONLY = True
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "chatsite.formats"
TIME_ZONE = "UTC"
USE_TZ = True

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOG_FORMAT = env.text("LOG_FORMAT", "console" if DEBUG else "json").lower()
# Messages may quote what users write: for one's own machine.
LOG_EXCEPTION_MESSAGES = env.flag("LOG_EXCEPTION_MESSAGES", default=False)
LOGGING = configure_logging(LOG_LEVEL, LOG_FORMAT, messages=LOG_EXCEPTION_MESSAGES)
# A client's own ids are another client's too; a proxy overwrites them (deploy/nginx).
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = BEHIND_PROXY
DJANGO_STRUCTLOG_TRUST_UPSTREAM_CORRELATION_ID = False
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# The line at a request's end has all that the one at its beginning says, and each costs 60 us.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG

if not DEBUG:
    env.refuse_unsafe(
        required={
            "SECRET_KEY": SECRET_KEY,
            "ALLOWED_HOSTS": ALLOWED_HOSTS,
            "DATABASE_URL": DATABASE_URL,
            "CACHE_URL": CACHE_URL,
            "QUEUE_URL": QUEUE_URL,
        },
        fallbacks=SECRET_KEY_FALLBACKS,
    )
    if same_server(CACHE_URL, QUEUE_URL):
        raise ImproperlyConfigured("CACHE_URL and QUEUE_URL must be two servers: docs/settings.md.")
