platform = "bkitsm_v3"
