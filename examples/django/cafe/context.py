"""What pages have to know of the XMPP server. Nothing of it is secret."""

from django.conf import settings
from django.http import HttpRequest


def xmpp(_request: HttpRequest) -> dict[str, str]:
    """For all templates."""
    return {
        "xmpp_domain": settings.XMPP_ANONYMOUS_DOMAIN,
        "xmpp_pubsub": settings.XMPP_PUBSUB_HOST,
        "xmpp_room": f"kitchen@{settings.XMPP_MUC_HOST}",
    }
