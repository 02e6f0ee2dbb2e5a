"""Handover sheets: what people have to set up in WeCom and in the school's network, one sheet per site."""
