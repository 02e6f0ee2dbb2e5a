platform = "wanxiao_test"
