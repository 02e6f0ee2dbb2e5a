platform = "wanxiao_prod"
