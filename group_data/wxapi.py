platform = "wxapi"
