platform = "bkitsm"
