platform = "bkitsm_v3_name"
