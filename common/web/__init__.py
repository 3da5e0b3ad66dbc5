"""The web side of an application: the factory, what comes in, what goes out, where a page goes on."""

from common.web.application import Application
from common.web.idempotent import demand_of, once
from common.web.parsing import Limits, body_of, json_body, query_of
from common.web.replies import json_reply, reply

__all__ = ["Application", "Limits", "body_of", "demand_of", "json_body", "json_reply", "once", "query_of", "reply"]
