"""wecom-gateway: reverse proxies for WeCom apps under a school's own domain, as code."""

import sys

from gateway import surroundings

if _fault := surroundings.fault():
    sys.exit("wecom-gateway: " + _fault)
