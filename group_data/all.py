"""The platforms that sites can stand in front of. A new one that only needs routes is a new dict here.

`port` "entry" is the site's default port (public 443), any other number is public as it stands. `path` and
`upstream` are prefixes and both end in "/". Optional: `max_body` (default "50m"), `read_timeout` in seconds
(default 60), `domain_headers` (further headers that carry the public domain), `app_path` (what the WeCom
app's home URL has after the entry route's path; "{flag}" stands for the site's own).
"""

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
    # BlueKing: routes follow from each site's own "bk". Its upload page allows 200 MiB, and its apps take
    # a visit for a WeCom one only when the second header is there.
    "bkitsm": {
        "routes": "bk",
        "max_body": "200m",
        "read_timeout": 180,
        "domain_headers": ["X-Forwarded-Weixin-Host"],
    },
}
