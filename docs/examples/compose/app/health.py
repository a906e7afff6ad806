# SPDX-License-Identifier: Apache-2.0
"""The container's health check: ends with 0 when the application answers, and the database it. A plain socket, as it runs every few seconds."""

import socket

with socket.create_connection(("localhost", 8000)) as connection:
    connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
    raise SystemExit(b" 200 " not in connection.recv(100))
