"""The stand-in platforms: an HTTP/1.1 server that answers with what reached it. Runs in a container, stdlib only."""
