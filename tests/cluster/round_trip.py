"""round_trip.py answer: sends back what it gets on a connection, until that is closed. round_trip.py NODE: the shortest of 20 times that
a byte takes to a node that answers and back, in microseconds."""
import socket
import sys
import time

PORT = 5000


def answer():
    connection, _ = socket.create_server(('', PORT)).accept()
    while True:
        received = connection.recv(1)
        if not received:
            break
        connection.sendall(received)


def connect(node):
    while True:
        try:
            return socket.create_connection((node, PORT))
        except ConnectionRefusedError:
            time.sleep(0.02)


def round_trip(connection):
    start = time.monotonic()
    connection.sendall(b'x')
    connection.recv(1)
    return time.monotonic() - start


if sys.argv[1] == 'answer':
    answer()
else:
    link = connect(sys.argv[1])
    print(int(1e6 * min(round_trip(link) for _ in range(20))))
