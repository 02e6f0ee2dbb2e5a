# A small program on port 80.
python_server 80
