"""Codes of messages: their content, their files and their buttons."""

from __future__ import annotations

from gateway.wecom.bilingual import ADMIN, PLATFORM, Text
from gateway.wecom.meaning import RANGE, Meaning, of_the_program

MESSAGES: dict[str, Meaning] = {
    # [codes]
    "40004": of_the_program("媒体文件的类型不对。", "The media file's type is wrong."),
    # [codes]
    "40005": of_the_program("上传素材时的 type 参数不对。", "The type of the upload is wrong."),
    # [codes]
    "40006": of_the_program("文件的大小不对。", "The file's size is wrong."),
    # [codes]
    "40007": of_the_program(
        "media_id 无效：不存在、已超过三天，或者类型不符。",
        "The media_id is not valid: there is none, it is older than three days, or of another type.",
        Text("重新上传后用新的 media_id。", "Upload again and use the new media_id."),
    ),
    # [codes]
    "40008": of_the_program("消息的类型不对。", "The message's type is wrong."),
    # [codes]
    "40009": of_the_program("图片的大小不对。", "The image's size is wrong."),
    # [codes]
    "40011": of_the_program("视频的大小不对。", "The video's size is wrong."),
    # [codes]
    "40031": Meaning(
        Text("UserID 列表里有成员不在通讯录里。", "Some UserIDs of the list are not in the address book."),
        (PLATFORM, ADMIN),
        RANGE,
    ),
    # [codes]
    "40032": of_the_program(
        "UserID 列表的长度不对。",
        "The list of UserIDs has a wrong length.",
        Text("发消息一次最多 1000 人。", "A message goes to 1,000 members at most."),
    ),
    # [codes]
    "40036": of_the_program("模板 ID 的长度不对。", "The template ID's length is wrong."),
    # [codes]
    "40037": of_the_program("模板 ID 无效。", "The template ID is not valid."),
    # [codes]
    "40050": of_the_program(
        "群聊的 chatid 不存在。",
        "There is no such chatid.",
        Text("先创建群聊，再向它发消息。", "Create the group chat before sending to it."),
    ),
    # [codes]
    "40066": Meaning(
        Text(
            "部门列表为空，或者有部门不在通讯录里。",
            "The list of departments is empty, or one is not in the address book.",
        ),
        (PLATFORM, ADMIN),
        RANGE,
    ),
    # [codes]
    "40068": Meaning(Text("标签 ID 没有填写或不存在。", "The tag ID is missing or unknown."), (PLATFORM, ADMIN), RANGE),
    # [codes]
    "40073": of_the_program("openid 无效：不存在。", "The openid is not valid: there is none."),
    # [codes]
    "40074": of_the_program(
        "news 消息不能保密。", "A message of type news cannot be confidential.", Text("改用 mpnews。", "Use mpnews.")
    ),
    # [codes]
    "40123": of_the_program("上传的图片格式不对。", "The uploaded image has a wrong format."),
    # [codes]
    "41006": of_the_program("请求里没有 media_id。", "The call has no media_id."),
    # [codes]
    "41016": of_the_program("图文消息没有标题。", "The article has no title."),
    # [codes]
    "41017": of_the_program("请求里没有 tagid。", "The call has no tagid."),
    # [codes]
    "41033": of_the_program("文本卡片消息没有描述。", "The text card has no description."),
    # [codes]
    "42014": of_the_program("任务卡片的 task_id 不合法。", "The task card's task_id is not valid."),
    # [codes]
    "42015": of_the_program(
        "更新消息的应用不是发送它的应用。", "The app that changes the message is not the one that sent it."
    ),
    # [codes]
    "42016": of_the_program("要更新的 task_id 不存在。", "There is no such task_id to change."),
    # [codes]
    "42017": of_the_program("按钮的 key 不存在。", "There is no such button key."),
    # [codes]
    "42018": of_the_program("按钮的 key 不合法。", "The button's key is not valid."),
    # [codes]
    "42019": of_the_program("缺少按钮的 key。", "The button's key is missing."),
    # [codes]
    "42020": of_the_program("缺少按钮的名称。", "The button's name is missing."),
    # [codes]
    "44001": of_the_program("上传的文件是空的。", "The uploaded file is empty."),
    # [codes]
    "44004": of_the_program("文本消息没有内容。", "The text message has no content."),
    # [codes]
    "45001": of_the_program("上传的文件太大。", "The uploaded file is too large."),
    # [codes]
    "45002": of_the_program(
        "消息的内容太长。",
        "The message is too long.",
        Text("文本消息不超过 2048 个字节。", "A text message has 2,048 bytes at most."),
    ),
    # [codes]
    "45007": of_the_program(
        "语音太长。", "The voice message is too long.", Text("不超过 60 秒。", "60 seconds at most.")
    ),
    # [codes]
    "45008": of_the_program(
        "图文消息的文章太多。", "The message has too many articles.", Text("不超过 8 条。", "8 at most.")
    ),
    # [codes]
    "45032": of_the_program(
        "图文消息的作者名太长。", "The article's author is too long.", Text("不超过 64 个字节。", "64 bytes at most.")
    ),
    # [codes]
    "49008": of_the_program("群已经解散。", "The group has been dissolved."),
    # [codes]
    "60203": of_the_program("消息模板的 ID 不合法。", "The message template's ID is not valid."),
    # [codes]
    "60204": of_the_program("消息模板不可用。", "The message template cannot be used."),
    # [codes]
    "60205": of_the_program("消息模板的关键词不匹配。", "The message template's keywords do not match."),
    # [codes]
    "60206": of_the_program(
        "这种消息只有第三方独立应用能用。", "Messages of this type are for independent apps of third parties alone."
    ),
    # [codes]
    "60207": of_the_program(
        "第三方独立应用只能发模板消息。", "An independent app of a third party may send template messages alone."
    ),
    # [codes]
    "60208": of_the_program(
        "第三方独立应用不能发给所有人、部门或标签。",
        "An independent app of a third party cannot send to all, to departments or to tags.",
    ),
}
