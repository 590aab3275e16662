"""Serves one user a folder with pyftpdlib under TLS, of which its own command line knows nothing."""
import argparse

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

parser = argparse.ArgumentParser()
for name in ("interface", "directory", "username", "password", "certificate"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--demand-control", action="store_true")
parser.add_argument("--demand-data", action="store_true")
options = parser.parse_args()

authorizer = DummyAuthorizer()
authorizer.add_user(options.username, options.password, options.directory, perm="elradfmwMT")


class Handler(TLS_FTPHandler):
    certfile = options.certificate
    tls_control_required = options.demand_control
    tls_data_required = options.demand_data


Handler.authorizer = authorizer
FTPServer((options.interface, options.port), Handler).serve_forever()
