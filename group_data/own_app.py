platform = "own_app"
