"""The platforms that sites can stand in front of. A new one that only needs routes is a new dict here.

`port` "entry" is the site's default port (public 443), any other number is public as it stands. `path` and
`upstream` are prefixes and both end in "/"; what else a row may have is in docs/platforms.md. Optional: `max_body`
(default "50m"), `read_timeout` in seconds (default 60), `domain_headers` (further headers that carry the public
domain), `app_path` (what the WeCom app's home URL has after the entry route's path; "{flag}" stands for the
site's own).

An upstream under `inner.example` is an example: copy the platform under a name of your own and write your server.
"""

# BlueKing's apps: the upload page allows 200 MiB, and a visit is one from WeCom only where this header is there.
_BLUEKING = {"max_body": "200m", "read_timeout": 180, "domain_headers": ["X-Forwarded-Weixin-Host"]}

platforms = {
    # The campus-card platform in production: B module on the entry port, open platform on 9001.
    "wanxiao_prod": {
        "routes": [
            {"port": "entry", "path": "/", "upstream": "https://hub.17wanxiao.com/"},
            {"port": 9001, "path": "/", "upstream": "https://open.17wanxiao.com/"},
        ],
        "app_path": "bsacs/qyweixin.action?flag={flag}&paytype=qyweixin&ecardFunc=index",
    },
    # Its public test system: both behind one name, told apart by prefix.
    "wanxiao_test": {
        "routes": [
            {"port": "entry", "path": "/bserver/", "upstream": "https://api.17wanxiao.com/b-server/"},
            {"port": 9001, "path": "/", "upstream": "https://api.17wanxiao.com/"},
        ],
        "app_path": "bsacs/qyweixin.action?flag={flag}&paytype=qyweixin&ecardFunc=index",
    },
    # BlueKing ITSM, and other apps below /o/ or /t/: routes follow from each site's own "bk".
    "bkitsm": {"routes": "bk", **_BLUEKING},
    # The same on PaaS v3, which writes "--" for "_": below a path of the name that all apps share ...
    "bkitsm_v3": {
        "routes": [
            {
                "port": "entry",
                "path": "/bk--itsm/weixin/",
                "upstream": "http://apps.inner.example/bk--itsm/weixin/",
                "guarded": True,
            },
            {
                "port": "entry",
                "path": "/bk--itsm/static/weixin/",
                "upstream": "http://apps.inner.example/bk--itsm/static/weixin/",
                "guarded": True,
            },
        ],
        **_BLUEKING,
    },
    # ... or on a name of its own.
    "bkitsm_v3_name": {
        "routes": [
            {
                "port": "entry",
                "path": "/weixin/",
                "upstream": "http://bk--itsm.apps.inner.example/weixin/",
                "guarded": True,
            },
            {
                "port": "entry",
                "path": "/static/weixin/",
                "upstream": "http://bk--itsm.apps.inner.example/static/weixin/",
                "guarded": True,
            },
        ],
        **_BLUEKING,
    },
    # BlueKing's monitoring under a path that is not its own, which it is told by X-Original-URI.
    "bkmonitor": {
        "routes": [
            {
                "port": "entry",
                "path": "/bkmonitor/",
                "upstream": "https://paas.inner.example/o/bk_monitorv3/weixin/",
                "guarded": True,
                "headers": {"X-Original-URI": "{path}"},
            },
            {
                "port": "entry",
                "path": "/bkmonitor/static/",
                "upstream": "https://paas.inner.example/o/bk_monitorv3/static/weixin/",
                "guarded": True,
                "headers": {"X-Original-URI": "{path}"},
            },
        ],
        **_BLUEKING,
    },
    # BlueKing SOPS, standard operations.
    "bksops": {
        "routes": [
            {
                "port": "entry",
                "path": "/o/bk_sops/weixin/",
                "upstream": "https://paas.inner.example/o/bk_sops/weixin/",
                "guarded": True,
            },
            {
                "port": "entry",
                "path": "/o/bk_sops/static/weixin/",
                "upstream": "https://paas.inner.example/o/bk_sops/static/weixin/",
                "guarded": True,
            },
        ],
        **_BLUEKING,
    },
    # An application of the school's own that takes its public name from Host.
    "own_app": {
        "routes": [{"port": "entry", "path": "/", "upstream": "http://app.inner.example:8080/", "host": "domain"}],
    },
    # WeCom's API below a path, for application servers that reach this host alone. Only for sites with `allow`.
    "wxapi": {
        "routes": [{"port": "entry", "path": "/wxapi/", "upstream": "https://qyapi.weixin.qq.com/"}],
    },
}
