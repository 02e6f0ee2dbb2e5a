"""Codes of an app's settings, its menu and what it shows on the workbench."""

from __future__ import annotations

from gateway.wecom.bilingual import ADMIN, PLATFORM, Text
from gateway.wecom.meaning import Meaning, of_the_program

_MENU_URL = Text(
    "网址以 http:// 或 https:// 开头，用站点域名；微信支付的链接以 weixin://wxpay/bizpayurl 开头。",
    "It begins with http:// or https:// and has the site's domain; a link of WeChat Pay begins with "
    "weixin://wxpay/bizpayurl.",
)

APPS: dict[str, Meaning] = {
    # [codes]
    "40016": of_the_program(
        "菜单按钮的个数不对。",
        "The number of menu buttons is wrong.",
        Text("一级菜单 1 到 3 个按钮。", "A menu has 1 to 3 buttons."),
    ),
    # [codes]
    "40017": of_the_program("菜单按钮的类型不对。", "A menu button's type is wrong."),
    # [codes]
    "40018": of_the_program(
        "菜单按钮的名字太长或为空。",
        "A menu button's name is too long or empty.",
        Text("不超过 16 个字节。", "16 bytes at most."),
    ),
    # [codes]
    "40019": of_the_program(
        "菜单按钮的 KEY 太长或为空。",
        "A menu button's KEY is too long or empty.",
        Text("不超过 128 个字节。", "128 bytes at most."),
    ),
    # [codes]
    "40020": of_the_program(
        "菜单按钮的网址太长或为空。",
        "A menu button's URL is too long or empty.",
        Text("不超过 1024 个字节。", "1,024 bytes at most."),
    ),
    # [codes]
    "40022": of_the_program("菜单的级数不对。", "The menu has too many levels.", Text("只能有两级。", "Two at most.")),
    # [codes]
    "40023": of_the_program(
        "子菜单按钮的个数不对。",
        "The number of a submenu's buttons is wrong.",
        Text("子菜单 1 到 5 个按钮。", "A submenu has 1 to 5 buttons."),
    ),
    # [codes]
    "40024": of_the_program("子菜单按钮的类型不对。", "A submenu button's type is wrong."),
    # [codes]
    "40025": of_the_program("子菜单按钮的名字长度不对。", "The length of a submenu button's name is wrong."),
    # [codes]
    "40026": of_the_program(
        "子菜单按钮的 KEY 长度不对。",
        "The length of a submenu button's KEY is wrong.",
        Text("不超过 60 个字节。", "60 bytes at most."),
    ),
    # [codes]
    "40027": of_the_program(
        "子菜单按钮的网址太长或为空。",
        "A submenu button's URL is too long or empty.",
        Text("不超过 1024 个字节。", "1,024 bytes at most."),
    ),
    # [codes]
    "40033": of_the_program(
        "请求里有不允许的字符。",
        "The call has characters that are not allowed.",
        Text("不能含有 \\uxxxx 形式的字符。", "None may be written as \\uxxxx."),
    ),
    # [codes]
    "40039": of_the_program("网址太长。", "The URL is too long.", Text("不超过 1024 个字节。", "1,024 bytes at most.")),
    # [codes]
    "40054": of_the_program("子菜单按钮的网址不合法。", "A submenu button's URL is not valid.", _MENU_URL),
    # [codes]
    "40055": of_the_program("菜单按钮的网址不合法。", "A menu button's URL is not valid.", _MENU_URL),
    # [codes]
    "40059": of_the_program(
        "上报地理位置的开关值不对。",
        "The switch for reporting places has a wrong value.",
        Text("只能是 0 或 1。", "It is 0 or 1."),
    ),
    # [codes]
    "40094": Meaning(
        Text("应用主页的网址缺少或不合法。", "The app's home URL is missing or not valid."),
        (ADMIN, PLATFORM),
        Text(
            "应用主页以 https:// 开头，用站点域名和默认端口；正确的网址在交接表里。",
            "The home URL begins with https:// and has the site's domain and the default port; the handover sheet "
            "has it.",
        ),
    ),
    # [codes]
    "40102": Meaning(
        Text("域名或 IP 与应用市场里上架的应用重复。", "The domain or IP is that of an app in WeCom's market."),
        (ADMIN,),
        Text("换用本单位自己的域名。", "Use a domain of your own organisation."),
    ),
    # [codes]
    "40127": of_the_program("网址的协议不支持。", "The URL has a scheme that is not supported."),
    # [codes]
    "41102": of_the_program("缺少菜单的名字。", "The menu's name is missing."),
    # [codes]
    "45004": of_the_program(
        "应用介绍的长度不对。",
        "The length of the app's description is wrong.",
        Text("4 到 120 个字符。", "4 to 120 characters."),
    ),
    # [codes]
    "45022": of_the_program(
        "应用名称的长度不对。",
        "The length of the app's name is wrong.",
        Text("不能为空，不超过 32 个字符。", "1 to 32 characters."),
    ),
    # [codes]
    "45034": of_the_program(
        "网址没有协议头。", "The URL has no scheme.", Text("网址以 https:// 开头。", "It begins with https://.")
    ),
    # [codes]
    "46003": of_the_program(
        "菜单还没有设置。",
        "There is no menu yet.",
        Text("菜单发布以后才能读取。", "It can be read when it is published."),
    ),
    # [codes]
    "60012": of_the_program("默认应用不能删除。", "The default app cannot be deleted."),
    # [codes]
    "60028": of_the_program(
        "第三方应用的主页网址不能通过接口修改。", "The home URL of a third party's app cannot be changed by interface."
    ),
    # [codes]
    "94000": Meaning(
        Text("应用没有开启工作台自定义展示。", "The app does not show anything of its own on the workbench."),
        (ADMIN,),
        Text(
            "由企业微信管理员给应用开启工作台的自定义模式。",
            "The WeCom administrator has to switch on the app's custom mode on the workbench.",
        ),
    ),
    # [codes]
    "94001": of_the_program("工作台展示的 type 不对。", "The type of what the workbench shows is wrong."),
    # [codes]
    "94002": of_the_program("工作台展示缺少 keydata。", "What the workbench shows has no keydata."),
    # [codes]
    "94003": of_the_program("工作台展示的 keydata 太多。", "What the workbench shows has too much keydata."),
    # [codes]
    "94005": of_the_program("工作台展示缺少 list。", "What the workbench shows has no list."),
    # [codes]
    "94006": of_the_program("工作台展示的 list 太长。", "What the workbench shows has too long a list."),
    # [codes]
    "94007": of_the_program("工作台展示缺少 webview。", "What the workbench shows has no webview."),
    # [codes]
    "94008": of_the_program("应用没有设置工作台展示的模板类型。", "The app has no type of template for the workbench."),
}
