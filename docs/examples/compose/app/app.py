# SPDX-License-Identifier: Apache-2.0
"""Counts visits in the database, and says who answers: one line of JSON."""

import http.server
import json
import os

import pymysql

PORT = 8000


def database():
    return pymysql.connect(host="db", user="root", password=os.environ["DB_PASSWORD"], database="visits", autocommit=True)


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with database() as connection, connection.cursor() as cursor:
            if self.path != "/health":
                cursor.execute("INSERT INTO visits (host) VALUES (%s)", (os.uname().nodename,))
            cursor.execute("SELECT COUNT(*) FROM visits")
            (visits,) = cursor.fetchone()
        body = json.dumps({"host": os.uname().nodename, "kernel": os.uname().release, "visits": visits}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS visits (id INT PRIMARY KEY AUTO_INCREMENT, host VARCHAR(64))")
    http.server.ThreadingHTTPServer(("", PORT), Visit).serve_forever()


if __name__ == "__main__":
    main()
