"""wecom-gateway: reverse proxies for WeCom apps under a school's own domain, as code."""
