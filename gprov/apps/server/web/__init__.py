"""The server over HTTP: the API, files, and scripts for network boot."""
