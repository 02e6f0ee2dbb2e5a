"""wecom-gateway: reverse proxies for WeCom apps under a school's own domain, as code."""

import sys

from gateway import environment

if _reason := environment.why_unusable():
    sys.exit("wecom-gateway: " + _reason)
