# A small program on port 9001.
python_server 9001
