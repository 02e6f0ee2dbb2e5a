platform = "bksops"
