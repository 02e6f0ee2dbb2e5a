platform = "bkmonitor"
