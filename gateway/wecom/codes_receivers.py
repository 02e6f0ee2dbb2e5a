"""Codes of messages: who gets them, group chats, mini programs' notices and group robots."""

from __future__ import annotations

from gateway.wecom.bilingual import ADMIN, OPERATOR, PLATFORM, Text
from gateway.wecom.meaning import RANGE, Meaning, of_the_program

RECEIVERS: dict[str, Meaning] = {
    # [codes]
    "81012": of_the_program("没有填写接收的成员、部门或标签。", "No member, department or tag is named."),
    # [codes]
    "81013": Meaning(
        Text(
            "接收的成员、部门、标签全部无效，或者都不在应用的可见范围里。",
            "All members, departments and tags are unknown or outside the app's visible range.",
        ),
        (ADMIN, PLATFORM),
        RANGE,
    ),
    # [codes]
    "82001": of_the_program(
        "接收的成员、部门、标签全部为空或无效。", "All members, departments and tags are empty or not valid."
    ),
    # [codes]
    "82002": of_the_program(
        "部门太多。",
        "Too many departments.",
        Text("发消息一次最多 100 个部门。", "A message goes to 100 departments at most."),
    ),
    # [codes]
    "82003": of_the_program(
        "标签太多。", "Too many tags.", Text("发消息一次最多 100 个标签。", "A message goes to 100 tags at most.")
    ),
    # [codes]
    "82004": of_the_program("消息的内容不合法。", "The message's content is not valid."),
    # [codes]
    "85002": of_the_program("包含不允许的词语。", "It has words that are not allowed."),
    # [codes]
    "86001": of_the_program("群聊的 chatid 不合法。", "The chatid is not valid."),
    # [codes]
    "86003": of_the_program("群聊的 chatid 不存在。", "There is no such chatid."),
    # [codes]
    "86004": of_the_program("群名不合法。", "The group's name is not valid."),
    # [codes]
    "86005": of_the_program("群主不合法。", "The group's owner is not valid."),
    # [codes]
    "86006": of_the_program("群成员太多或太少。", "The group has too many or too few members."),
    # [codes]
    "86007": of_the_program("群成员不合法。", "A member of the group is not valid."),
    # [codes]
    "86008": of_the_program("群不是这个应用创建的。", "The group was not made by this app."),
    # [codes]
    "86101": of_the_program("只有群主能这样做。", "This is for the group's owner alone."),
    # [codes]
    "86201": of_the_program("请求里没有 chatid。", "The call has no chatid."),
    # [codes]
    "86202": of_the_program("请求里没有群名。", "The call has no group name."),
    # [codes]
    "86203": of_the_program("请求里没有群主。", "The call has no group owner."),
    # [codes]
    "86204": of_the_program("请求里没有群成员。", "The call has no group members."),
    # [codes]
    "86205": of_the_program("chatid 太长。", "The chatid is too long."),
    # [codes]
    "86206": of_the_program("数字的 chatid 太大。", "The chatid's number is too large."),
    # [codes]
    "86207": of_the_program("群主不在群成员里。", "The group's owner is not among its members."),
    # [codes]
    "86214": of_the_program("群发的类型不合法。", "The type of mass message is not valid."),
    # [codes]
    "86215": of_the_program("这个 chatid 已经有了。", "The chatid is taken."),
    # [codes]
    "86216": of_the_program("有群成员不存在。", "A member of the chat is unknown."),
    # [codes]
    "86217": of_the_program("发送者不是群成员。", "The sender is not a member of the chat."),
    # [codes]
    "86220": of_the_program("会话的参数不合法。", "The chat's parameters are not valid."),
    # [codes]
    "90200": of_the_program("缺少小程序的 appid。", "The mini program's appid is missing."),
    # [codes]
    "90201": of_the_program("小程序通知的条目太多。", "The mini program's notice has too many items."),
    # [codes]
    "90202": of_the_program(
        "小程序通知的 key 长度不对。", "The length of a key of the mini program's notice is wrong."
    ),
    # [codes]
    "90203": of_the_program(
        "小程序通知的 value 长度不对。", "The length of a value of the mini program's notice is wrong."
    ),
    # [codes]
    "90204": of_the_program("小程序通知的 page 不对。", "The page of the mini program's notice is wrong."),
    # [codes]
    "90206": Meaning(
        Text("小程序没有关联到企业。", "The mini program is not linked to the company."),
        (ADMIN,),
        Text("由企业微信管理员关联该小程序。", "The WeCom administrator has to link it."),
    ),
    # [codes]
    "90207": of_the_program("小程序的 appid 不合法。", "The mini program's appid is not valid."),
    # [codes]
    "90208": of_the_program("小程序的 appid 不匹配。", "The mini program's appid does not match."),
    # [codes]
    "93000": Meaning(
        Text(
            "群机器人的 webhook 网址不对，或者机器人已经不在群里。",
            "The group robot's webhook URL is wrong, or the robot is no longer in the group.",
        ),
        (OPERATOR,),
        Text(
            "在群里重新添加机器人，换上新的 webhook 网址。",
            "Add the robot to the group again and use its new webhook URL.",
        ),
    ),
    # [codes]
    "93004": Meaning(
        Text("群机器人已停用。", "The group robot is switched off."),
        (OPERATOR,),
        Text("在群里启用它，或者换一个机器人。", "Switch it on in the group, or use another one."),
    ),
    # [codes]
    "93008": Meaning(
        Text("机器人不在群里。", "The robot is not in the group."),
        (OPERATOR,),
        Text(
            "在群里重新添加机器人，换上新的 webhook 网址。",
            "Add the robot to the group again and use its new webhook URL.",
        ),
    ),
    # [codes]
    "301015": of_the_program("媒体文件的 mediaid 不合法。", "The mediaid is not valid."),
    # [codes]
    "301016": of_the_program("语音文件不符合要求。", "The voice file is not as it has to be."),
    # [codes]
    "301017": of_the_program("语音文件只能是 AMR 格式。", "A voice file has to be AMR."),
}
